import { Select, Tooltip } from 'antd';
import type { ReactNode } from 'react';

import type { EcgMeasured, EcgQuantity, EcgRecord, EcgSerial } from '../api/types';
import { useLanguage } from '../i18n/language';
import { isPlainKey } from '../i18n/catalogue';
import { FORMULAS, type Formula, useFormula } from './formula';

type DeviceValue = EcgRecord['device_measurements'][number];

/** The columns in the order in which doctors read them; axes share one. */
const COLUMNS = ['heart_rate', 'p_duration', 'pr', 'qrs', 'qt', 'qtc', 'axes', 'sokolow_lyon'] as const;
type Column = (typeof COLUMNS)[number];
const AXES = ['p_axis', 'qrs_axis', 't_axis'] as const;
/** What the device may call a value that it corrected by the formula; only Bazett's goes without its name. */
const DEVICE_QTC: Record<Formula, readonly string[]> = {
  bazett: ['qtc_bazett', 'qtc'],
  fridericia: ['qtc_fridericia'],
  framingham: [],
  hodges: [],
};

/** Our values, the device's beside them, and what has changed since an earlier ECG; never mixed. */
export function ValueTable({
  record,
  measured,
  serial,
}: {
  record: EcgRecord | undefined;
  measured: EcgMeasured | undefined;
  serial: EcgSerial | undefined;
}) {
  const { t } = useLanguage();
  const [formula, setFormula] = useFormula();
  const ours = (name: string): EcgQuantity | undefined => measured?.values.find((each) => each.name === name);
  const change = (name: string): EcgSerial['differences'][number] | undefined =>
    serial?.differences.find((each) => each.name === name && each.lead === null);
  const device = (names: readonly string[]): DeviceValue | undefined =>
    names
      .map((name) =>
        record?.device_measurements.find((each) => each.name === name && each.lead === null && each.value !== null),
      )
      .find((each) => each !== undefined);
  const namesOf = (column: Column): readonly string[] =>
    column === 'axes' ? AXES : column === 'qtc' ? [`qtc_${formula}`] : [column];
  const deviceNames = (column: Column, name: string): readonly string[] =>
    column === 'qtc' ? DEVICE_QTC[formula] : [name];

  const row = (each: (column: Column, name: string) => ReactNode) =>
    COLUMNS.map((column) => (
      <td key={column}>
        {namesOf(column).map((name, index) => (
          <span key={name}>
            {index > 0 && <span className="quiet"> / </span>}
            {each(column, name)}
          </span>
        ))}
      </td>
    ));
  return (
    <div className="ecg-table-scroll">
      <table className="ecg-values" aria-label={t('ecg.facts')}>
        <thead>
          <tr>
            <th scope="col">
              <span className="visually-hidden">{t('ecg.values.source')}</span>
            </th>
            {COLUMNS.map((column) => (
              <th key={column} scope="col">
                {column === 'qtc' ? (
                  <Select
                    size="small"
                    variant="borderless"
                    className="ecg-formula"
                    popupMatchSelectWidth={false}
                    aria-label={t('ecg.formula')}
                    value={formula}
                    options={FORMULAS.map((each) => ({ value: each, label: t(`ecg.formula.${each}`) }))}
                    onChange={setFormula}
                  />
                ) : (
                  t(`ecg.value.${column}`)
                )}
                <small>{t(`ecg.value.${column}.unit`)}</small>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <tr className="ecg-ours">
            <th scope="row">{t('ecg.values.ours')}</th>
            {row((_, name) => (
              <Ours quantity={ours(name)} />
            ))}
          </tr>
          <tr>
            <th scope="row">{t('ecg.values.device')}</th>
            {row((column, name) => {
              const found = device(deviceNames(column, name));
              return found === undefined || found.value === null ? (
                <span className="quiet">{t('app.none')}</span>
              ) : (
                <span title={[found.device_name, found.code].filter((part) => part !== '').join(' · ')}>
                  {written(found.value, found.unit === 'mV' ? 2 : 0)}
                </span>
              );
            })}
          </tr>
          {serial !== undefined && (
            <>
              <tr>
                <th scope="row">{t('ecg.values.then')}</th>
                {row((_, name) => (
                  <Ours quantity={change(name)?.then} />
                ))}
              </tr>
              <tr className="ecg-change">
                <th scope="row">{t('ecg.values.change')}</th>
                {row((_, name) => {
                  const found = change(name);
                  return found?.change === undefined || found.change === null
                    ? t('app.none')
                    : signed(inShown(found.change, found.now.unit), found.now.unit === 'uV' ? 2 : 0);
                })}
              </tr>
            </>
          )}
        </tbody>
      </table>
      <Reasons measured={measured} formula={formula} />
    </div>
  );
}

function Ours({ quantity }: { quantity: EcgQuantity | undefined }) {
  const { t } = useLanguage();
  if (quantity === undefined) return <span className="quiet">…</span>;
  if (quantity.value === null) {
    return (
      <Tooltip title={reasonWords(t, quantity.reason)}>
        <span className="ecg-unmeasured">{t('ecg.unmeasured.sign')}</span>
      </Tooltip>
    );
  }
  return <>{written(inShown(quantity.value, quantity.unit), quantity.unit === 'uV' ? 2 : 0)}</>;
}

type Translate = ReturnType<typeof useLanguage>['t'];

/** The reason in the language of the page; one that is not known here in its own words. */
export function reasonWords(t: Translate, reason: string | null): string {
  const key = `ecg.reason.${reason ?? ''}`;
  return isPlainKey(key) ? t(key) : (reason ?? '');
}

/** Why values are missing, in words: each reason once, with the values it holds for. */
function Reasons({ measured, formula }: { measured: EcgMeasured | undefined; formula: Formula }) {
  const { t } = useLanguage();
  const shown = new Set<string>([...COLUMNS, ...AXES, `qtc_${formula}`]);
  const missing = new Map<string, string[]>();
  for (const each of measured?.values ?? []) {
    if (each.value !== null || !shown.has(each.name)) continue;
    const words = reasonWords(t, each.reason);
    const key = each.name === `qtc_${formula}` ? 'ecg.value.qtc' : `ecg.value.${each.name}`;
    missing.set(words, [...(missing.get(words) ?? []), isPlainKey(key) ? t(key) : each.name]);
  }
  if (missing.size === 0) return null;
  return (
    <p className="ecg-reasons">
      {[...missing].map(([words, names]) => (
        <span key={words}>{t('ecg.unmeasured', { what: names.join(t('ecg.comma')), why: words })}</span>
      ))}
    </p>
  );
}

/** Voltages are kept in µV and read in mV. */
export function inShown(value: number, unit: string): number {
  return unit === 'uV' ? value / 1000 : value;
}

export function written(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
}

export function signed(value: number, digits: number): string {
  const text = written(value, digits);
  return Number(text.replace('−', '-')) > 0 ? `+${text}` : text;
}
