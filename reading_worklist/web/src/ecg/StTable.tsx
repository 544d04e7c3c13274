import type { EcgMeasured, EcgQuantity, EcgSerial } from '../api/types';
import { useLanguage } from '../i18n/language';
import { inShown, reasonWords, signed } from './ValueTable';

const LEVELS = ['st_j', 'st_j60'] as const;

/** ST of each lead in mV, at J and 60 ms after it, and how it has changed. */
export function StTable({
  measured,
  serial,
  highlighted,
  onHighlight,
}: {
  measured: EcgMeasured;
  serial: EcgSerial | undefined;
  highlighted: ReadonlySet<string>;
  onHighlight: (lead: string) => void;
}) {
  const { t } = useLanguage();
  if (measured.leads.length === 0) return null;
  return (
    <div className="ecg-table-scroll">
      <table className="ecg-values ecg-st" aria-label={t('ecg.st')}>
        <thead>
          <tr>
            <th scope="col">
              {t('ecg.st')} <small>{t('ecg.unit.mv')}</small>
            </th>
            {measured.leads.map(({ lead }) => (
              <th key={lead} scope="col" className={highlighted.has(lead) ? 'ecg-lead-marked' : undefined}>
                <button
                  type="button"
                  className="ecg-lead"
                  aria-pressed={highlighted.has(lead)}
                  onClick={() => onHighlight(lead)}
                >
                  {lead}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {LEVELS.map((level) => (
            <tr key={level}>
              <th scope="row">{t(`ecg.${level}`)}</th>
              {measured.leads.map((each) => (
                <td key={each.lead}>
                  <Level quantity={each[level]} />
                </td>
              ))}
            </tr>
          ))}
          {serial !== undefined &&
            LEVELS.map((level) => (
              <tr key={level} className="ecg-change">
                <th scope="row">{t(`ecg.${level}.change`)}</th>
                {measured.leads.map(({ lead }) => {
                  const found = serial.differences.find((each) => each.name === level && each.lead === lead);
                  return (
                    <td key={lead}>
                      {found?.change === undefined || found.change === null
                        ? t('app.none')
                        : signed(inShown(found.change, 'uV'), 2)}
                    </td>
                  );
                })}
              </tr>
            ))}
        </tbody>
      </table>
    </div>
  );
}

function Level({ quantity }: { quantity: EcgQuantity }) {
  const { t } = useLanguage();
  if (quantity.value !== null) return <>{signed(inShown(quantity.value, quantity.unit), 2)}</>;
  return (
    <span className="ecg-unmeasured" title={reasonWords(t, quantity.reason)}>
      {t('ecg.unmeasured.sign')}
    </span>
  );
}
