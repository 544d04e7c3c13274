import { useQuery } from '@tanstack/react-query';
import { Button, Input } from 'antd';
import { useState } from 'react';

import { answer, api } from '../../api/client';
import { keys } from '../../api/keys';
import type { DraftEcg, EcgValue } from '../../api/types';
import { isPlainKey } from '../../i18n/catalogue';
import { useLanguage } from '../../i18n/language';
import './statements.css';

const NUMBER = /^-?\d{1,4}(?:\.\d{1,2})?$/;
type Confirmed = DraftEcg['confirmed'];

/** What device and centre measured, and what the doctor takes it to be; nothing is confirmed that he did not confirm. */
export function EcgValuesForm({
  id,
  confirmed,
  disabled,
  onChange,
}: {
  id: string;
  confirmed: Confirmed;
  disabled: boolean;
  onChange: (confirmed: Confirmed) => void;
}) {
  const { t } = useLanguage();
  const { data } = useQuery({
    queryKey: [...keys.workitem(id), 'ecg-values'],
    queryFn: () =>
      answer(api.GET('/api/workitems/{workitem_id}/ecg-values', { params: { path: { workitem_id: id } } })),
  });
  const values = data?.values ?? [];
  const measured = values.filter(({ centre }) => centre !== null);
  const shown = values.filter(({ name, device, centre }) => device !== null || centre !== null || name in confirmed);
  if (shown.length === 0) return null;

  const confirmAll = (): void => {
    const open = measured.filter(({ name }) => !(name in confirmed));
    const taken = open.map(({ name, centre }) => [name, centre === '' ? null : Number(centre)] as const);
    onChange({ ...confirmed, ...Object.fromEntries(taken) });
  };
  const set = (name: string, value: number | null | undefined): void => {
    const others = Object.entries(confirmed).filter(([each]) => each !== name);
    onChange(Object.fromEntries(value === undefined ? others : [...others, [name, value]]));
  };
  return (
    <section className="report-values" aria-label={t('values.title')}>
      <h2>
        {t('values.title')}
        <Button
          size="small"
          disabled={disabled || measured.every(({ name }) => name in confirmed)}
          onClick={confirmAll}
        >
          {t('values.confirmAll')}
        </Button>
      </h2>
      <table>
        <thead>
          <tr>
            <th scope="col">{t('values.measure')}</th>
            <th scope="col">{t('values.device')}</th>
            <th scope="col">{t('values.centre')}</th>
            <th scope="col">{t('values.confirmed')}</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((value) => (
            <Row
              key={value.name}
              value={value}
              confirmed={confirmed[value.name]}
              disabled={disabled}
              onChange={(next) => set(value.name, next)}
            />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Row({
  value,
  confirmed,
  disabled,
  onChange,
}: {
  value: EcgValue;
  confirmed: number | null | undefined;
  disabled: boolean;
  onChange: (confirmed: number | null | undefined) => void;
}) {
  const { t } = useLanguage();
  const [typed, setTyped] = useState<string | null>(null);
  const key = `values.${value.name}`;
  const name = isPlainKey(key) ? t(key) : value.name;
  const told = confirmed === undefined ? '' : confirmed === null ? t('values.missing') : written(value, confirmed);
  const text = typed ?? told;
  const wrong = typed !== null && typed !== '' && typed !== t('values.missing') && !NUMBER.test(typed);
  const edited = confirmed !== undefined && told !== (value.centre === '' ? t('values.missing') : value.centre);

  const done = (): void => {
    setTyped(null);
    if (typed === null || typed === told || wrong) return;
    onChange(typed === '' ? undefined : typed === t('values.missing') ? null : Number(typed));
  };
  return (
    <tr className={edited ? 'report-value-edited' : ''}>
      <th scope="row">
        {name} <span className="quiet">{value.unit === 'deg' ? '°' : value.unit}</span>
      </th>
      <td>{value.device ?? '—'}</td>
      <td title={value.reason}>
        {value.centre === null ? '—' : value.centre === '' ? t('values.missing') : value.centre}
      </td>
      <td>
        <Input
          size="small"
          aria-label={t('values.of', { name })}
          disabled={disabled}
          status={wrong ? 'error' : ''}
          placeholder={t('values.open')}
          value={text}
          onChange={(event) => setTyped(event.target.value.trim())}
          onBlur={done}
          onPressEnter={done}
        />
      </td>
    </tr>
  );
}

/** A value as the report prints it. */
function written({ unit }: EcgValue, value: number): string {
  return unit === 'mV' ? value.toFixed(2) : value.toFixed(0);
}
