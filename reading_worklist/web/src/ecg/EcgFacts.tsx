import type { UseQueryResult } from '@tanstack/react-query';
import { Select, Skeleton } from 'antd';

import type { EcgRecord } from '../api/types';
import { ProblemNotice } from '../design/Notice';
import { isPlainKey } from '../i18n/catalogue';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';

type DeviceValue = EcgRecord['device_measurements'][number];

/** What doctors read first comes first; other global values follow as the device gave them. */
const ORDER = [
  'heart_rate',
  'rr',
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
  'atrial_rate',
  'pp',
];

/**
 * What the electrocardiograph measured and said. Never mixed with what a doctor says. Sampling rate and filters stand
 * on the page itself, as on paper.
 */
export function EcgFacts({
  record,
  onInstance,
}: {
  record: UseQueryResult<EcgRecord>;
  onInstance: (sopInstanceUid: string) => void;
}) {
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
      <Values record={record.data} />
      <div className="ecg-lines">
        <Statements statements={record.data.device_statements} />
        <Recording record={record.data} onInstance={onInstance} />
      </div>
    </section>
  );
}

function Values({ record }: { record: EcgRecord }) {
  const { t } = useLanguage();
  const measured = record.device_measurements.filter((each) => each.lead === null && each.value !== null);
  const rank = (each: DeviceValue): number => (ORDER.includes(each.name) ? ORDER.indexOf(each.name) : ORDER.length);
  const sorted = measured.toSorted((a, b) => rank(a) - rank(b));
  return (
    <div>
      <h2>
        {t('ecg.device')} <small>{t('ecg.device.note')}</small>
      </h2>
      {sorted.length === 0 && <p className="quiet">{t('ecg.device.none')}</p>}
      <dl className="ecg-values">
        {sorted.map((each) => (
          <DeviceTile key={each.name + each.code} measurement={each} />
        ))}
      </dl>
    </div>
  );
}

function DeviceTile({ measurement }: { measurement: DeviceValue }) {
  const { t } = useLanguage();
  const key = `ecg.measure.${measurement.name}`;
  const unitKey = `ecg.unit.${measurement.unit}`;
  return (
    <div title={[measurement.device_name, measurement.code].filter((part) => part !== '').join(' · ')}>
      <dt>{isPlainKey(key) ? t(key) : measurement.device_name}</dt>
      <dd>
        {measurement.value === null ? t('app.none') : Math.round(measurement.value * 10) / 10}{' '}
        <small>{isPlainKey(unitKey) ? t(unitKey) : measurement.unit}</small>
      </dd>
    </div>
  );
}

function Statements({ statements }: { statements: readonly string[] }) {
  const { t } = useLanguage();
  return (
    <div className="ecg-line">
      <h2>{t('ecg.statements')}</h2>
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

function Recording({ record, onInstance }: { record: EcgRecord; onInstance: (sopInstanceUid: string) => void }) {
  const { t } = useLanguage();
  const device = [record.manufacturer, record.model].filter((part) => part !== '').join(' ');
  return (
    <div className="ecg-line">
      <h2>{t('ecg.recording')}</h2>
      <dl className="ecg-recording">
        <Fact
          name={t('ecg.acquired')}
          value={record.acquired_at === null ? null : formatDateTime(record.acquired_at)}
        />
        <Fact name={t('ecg.deviceName')} value={device} />
      </dl>
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

function Fact({ name, value }: { name: string; value: string | null }) {
  if (value === null || value === '') return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
