import { App, Button } from 'antd';
import { useState } from 'react';

import { Chip } from '../design/Chip';
import { FormDialog } from '../design/FormDialog';
import type { Column } from '../design/Table';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { daysLater } from '../rules/days';
import { DaysFields, TextField, unordered } from '../design/Field';
import { type SingleBody, type SinglePeriod, useAgreementAct, useSinglePeriods } from './queries';
import { Register } from './Register';
import { useDay } from './today';

const USUAL_DAYS = 90;

/** The dated switch under which one doctor alone may issue an ECG report. */
export function SingleTab() {
  const { t } = useLanguage();
  const periods = useSinglePeriods();
  const { mutateAsync } = useAgreementAct();
  const [adding, setAdding] = useState(false);
  const [ending, setEnding] = useState<SinglePeriod | null>(null);
  const columns = useColumns(setEnding);
  const on = periods.data?.some((one) => one.holds) ?? false;
  return (
    <>
      <Register
        label={t('single.table')}
        query={periods}
        columns={columns}
        empty={{ title: t('single.empty.title'), text: t('single.empty.text') }}
        ending={ending}
        end={{
          title: t('single.switchOff'),
          text: t('single.switchOffExplain'),
          done: t('single.switchedOff'),
          act: ({ id }) => mutateAsync({ kind: 'single-off', id }),
        }}
        onEnded={() => setEnding(null)}
      >
        {periods.isSuccess && (
          <Chip tone={on ? 'amber' : 'slate'} hollow={!on}>
            {t(on ? 'single.on' : 'single.off')}
          </Chip>
        )}
        <span>{t('single.intro')}</span>
        <Button className="agreements-add" onClick={() => setAdding(true)}>
          {t('single.switchOn')}
        </Button>
      </Register>
      {adding && <SingleDialog onClose={() => setAdding(false)} />}
    </>
  );
}

function useColumns(onEnd: (period: SinglePeriod) => void): Column<SinglePeriod>[] {
  const { t } = useLanguage();
  const today = useDay();
  return [
    {
      key: 'dates',
      heading: t('single.column.dates'),
      width: 200,
      cell: (one) => (
        <span className="strong">{t('agreements.dates', { from: one.valid_from, until: one.valid_until })}</span>
      ),
    },
    { key: 'basis', heading: t('single.column.basis'), cell: (one) => one.basis },
    {
      key: 'by',
      heading: t('single.column.by'),
      width: 160,
      cell: (one) => (
        <>
          {one.made_by.display_name}
          <div className="quiet small">{formatDateTime(one.made_at)}</div>
        </>
      ),
    },
    {
      key: 'reports',
      heading: t('single.column.reports'),
      width: 100,
      cell: (one) => t('single.reports', { n: one.reports }),
    },
    {
      key: 'state',
      heading: t('single.column.state'),
      width: 220,
      cell: (one) => {
        if (one.ended_at !== null && one.ended_by !== null) {
          return (
            <span className="quiet">
              {t('single.ended', { name: one.ended_by.display_name, time: formatDateTime(one.ended_at) })}
            </span>
          );
        }
        if (one.valid_until < today) return <Chip tone="slate">{t('single.over')}</Chip>;
        return (
          <span className="single-state">
            <Chip tone={one.holds ? 'amber' : 'blue'} hollow={!one.holds}>
              {t(one.holds ? 'single.holds' : 'single.coming')}
            </Chip>
            <Button size="small" danger onClick={() => onEnd(one)}>
              {t('single.switchOff')}
            </Button>
          </span>
        );
      },
    },
  ];
}

function SingleDialog({ onClose }: { onClose: () => void }) {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const { mutateAsync } = useAgreementAct();
  const today = useDay();
  const [body, setBody] = useState<SingleBody>({
    valid_from: today,
    valid_until: daysLater(today, USUAL_DAYS),
    basis: '',
  });
  const [tried, setTried] = useState(false);
  const put = (part: Partial<SingleBody>): void => setBody({ ...body, ...part });
  const missing = body.valid_from === '' || body.valid_until === '' || body.basis.trim() === '';
  const ready = (): boolean => {
    setTried(true);
    return !missing && !unordered({ from: body.valid_from, until: body.valid_until });
  };
  const save = async (): Promise<void> => {
    await mutateAsync({ kind: 'single-on', body: { ...body, basis: body.basis.trim() } });
    void message.success(t('single.switchedOn'));
  };
  return (
    <FormDialog
      width={520}
      title={t('single.switchOn')}
      ok={t('single.switchOn')}
      ready={ready}
      onSave={save}
      onClose={onClose}
      complaint={tried && missing && t('single.form.missing')}
    >
      <DaysFields
        min={today}
        days={{ from: body.valid_from, until: body.valid_until }}
        onChange={(days) => put({ valid_from: days.from, valid_until: days.until })}
      />
      <TextField
        label={t('single.form.basis')}
        hint={t('single.form.basisHint')}
        wide
        autoFocus
        longest={200}
        value={body.basis}
        onChange={(basis) => put({ basis })}
      />
    </FormDialog>
  );
}
