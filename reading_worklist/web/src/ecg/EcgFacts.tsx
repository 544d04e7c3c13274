import type { UseQueryResult } from '@tanstack/react-query';
import { Select, Skeleton } from 'antd';

import type { EcgMeasured, EcgRecord, EcgSerial } from '../api/types';
import { ProblemNotice } from '../design/Notice';
import { isPlainKey } from '../i18n/catalogue';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { useSession } from '../session/session';
import { limitWords } from './limits';
import { StTable } from './StTable';
import { ValueTable } from './ValueTable';

/** Values that have a column of their own in the table. */
const IN_TABLE = new Set([
  'heart_rate',
  'p_duration',
  'pr',
  'qrs',
  'qt',
  'qtc',
  'qtc_bazett',
  'qtc_fridericia',
  'p_axis',
  'qrs_axis',
  't_axis',
]);

interface EcgFactsProps {
  record: UseQueryResult<EcgRecord>;
  measured: UseQueryResult<EcgMeasured>;
  serial: EcgSerial | undefined;
  highlighted: ReadonlySet<string>;
  onHighlight: (lead: string) => void;
  onInstance: (sopInstanceUid: string) => void;
}

/**
 * What was measured, by us and by the electrocardiograph, and what that said. Never mixed with what a doctor says.
 * Sampling rate and filters stand on the page itself, as on paper.
 */
export function EcgFacts({ record, measured, serial, highlighted, onHighlight, onInstance }: EcgFactsProps) {
  const { t } = useLanguage();
  if (record.isError) {
    return (
      <div className="ecg-facts">
        <ProblemNotice heading={t('ecg.recordFailed')} error={record.error} onRetry={() => void record.refetch()} />
      </div>
    );
  }
  if (record.data === undefined) {
    return (
      <div className="ecg-facts" aria-busy="true">
        <Skeleton active title={false} paragraph={{ rows: 2 }} />
      </div>
    );
  }
  return (
    <section className="ecg-facts" aria-label={t('ecg.facts')}>
      <div className="ecg-tables">
        <ValueTable record={record.data} measured={measured.data} serial={serial} />
        {measured.isError && (
          <ProblemNotice
            heading={t('ecg.measureFailed')}
            error={measured.error}
            onRetry={() => void measured.refetch()}
          />
        )}
        {measured.data !== undefined && (
          <StTable measured={measured.data} serial={serial} highlighted={highlighted} onHighlight={onHighlight} />
        )}
      </div>
      <div className="ecg-lines">
        <Statements statements={record.data.device_statements} />
        <Recording record={record.data} onInstance={onInstance} />
        {measured.data !== undefined && <Method measured={measured.data} />}
      </div>
    </section>
  );
}

function Statements({ statements }: { statements: readonly string[] }) {
  const { t } = useLanguage();
  return (
    <div className="ecg-line">
      <h2>
        {t('ecg.statements')} <small>{t('ecg.statements.note')}</small>
      </h2>
      {statements.length === 0 ? (
        <p className="quiet">{t('ecg.statements.none')}</p>
      ) : (
        <ul className="ecg-statements">
          {statements.map((statement, index) => (
            <li key={index}>{statement}</li>
          ))}
        </ul>
      )}
    </div>
  );
}

const DOWNLOADS = ['original', 'dicom', 'csv'] as const;

/** The server names an original; the name of the patient is in none. */
function fileName(what: (typeof DOWNLOADS)[number]): string {
  return what === 'original' ? '' : what === 'dicom' ? 'ecg.dcm' : 'ecg.csv';
}

function Recording({ record, onInstance }: { record: EcgRecord; onInstance: (sopInstanceUid: string) => void }) {
  const { t } = useLanguage();
  // Who is asked for an opinion alone looks at the ECG here.
  const mayTake = useSession().data?.roles.some((role) => role !== 'expert') === true;
  const device = [record.manufacturer, record.model].filter((part) => part !== '').join(' ');
  const others = record.device_measurements.filter(
    (each) => each.lead === null && each.value !== null && !IN_TABLE.has(each.name),
  );
  return (
    <div className="ecg-line">
      <h2>{t('ecg.recording')}</h2>
      <dl className="ecg-recording">
        <Fact
          name={t('ecg.acquired')}
          value={record.acquired_at === null ? null : formatDateTime(record.acquired_at)}
        />
        <Fact name={t('ecg.deviceName')} value={device} />
        {others.map((each) => (
          <OtherValue key={each.name + each.code} measurement={each} />
        ))}
      </dl>
      {mayTake && (
        <p className="ecg-downloads">
          {DOWNLOADS.map((what) => (
            <a key={what} href={`/api/ecg-instances/${record.sop_instance_uid}/${what}`} download={fileName(what)}>
              {t(`ecg.download.${what}`)}
            </a>
          ))}
        </p>
      )}
      {record.instances.length > 1 && (
        <Select
          size="small"
          aria-label={t('ecg.instances')}
          value={record.sop_instance_uid}
          options={record.instances.map((each, index) => ({
            value: each.sop_instance_uid,
            disabled: each.problem !== null,
            label: t('ecg.instance', {
              n: index + 1,
              time: each.acquired_at === null ? t('app.none') : formatDateTime(each.acquired_at),
            }),
          }))}
          onChange={onInstance}
        />
      )}
    </div>
  );
}

function OtherValue({ measurement }: { measurement: EcgRecord['device_measurements'][number] }) {
  const { t } = useLanguage();
  const key = `ecg.measure.${measurement.name}`;
  const unitKey = `ecg.unit.${measurement.unit}`;
  const value = Math.round((measurement.value ?? 0) * 10) / 10;
  return (
    <Fact
      name={isPlainKey(key) ? t(key) : measurement.device_name}
      value={`${value} ${isPlainKey(unitKey) ? t(unitKey) : measurement.unit}`}
    />
  );
}

/** By what was measured, from how many beats, and who corrected it. */
function Method({ measured }: { measured: EcgMeasured }) {
  const { t, language } = useLanguage();
  return (
    <div className="ecg-line">
      <h2>{t('ecg.method')}</h2>
      <p className="quiet">
        {measured.method} {measured.version} · {t('ecg.method.beats', { n: measured.median_beats })}
        {/* What only a part was measured of stands above the trace. */}
        {measured.notes
          .filter((note) => note.code !== 'first_seconds')
          .map((note) => ` · ${limitWords(language, note)}`)
          .join('')}
      </p>
      {measured.corrected_by !== null && (
        <p className="ecg-corrected">
          {t('ecg.corrected', {
            who: measured.corrected_by,
            time: measured.corrected_at === null ? t('app.none') : formatDateTime(measured.corrected_at),
          })}
        </p>
      )}
    </div>
  );
}

function Fact({ name, value }: { name: string; value: string | null }) {
  if (value === null || value === '') return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
