import { App, Button, type RefSelectProps, Select } from 'antd';
import { useRef, useState } from 'react';

import { FormDialog } from '../design/FormDialog';
import { QueryTable } from '../design/QueryTable';
import { useSites } from '../design/sites';
import type { Column } from '../design/Table';
import { useLanguage } from '../i18n/language';
import { siteName, siteOf } from '../i18n/siteName';
import { DayField, DaysFields, Field, TextField, unordered } from '../design/Field';
import { DatedState } from './DatedState';
import { type Mark, type MarkBody, useAgreementAct, useMarks } from './queries';
import { useDay } from './today';

const LONGEST_REASON = 1_000;

/** Which exams of which sites carry the mark of mutual recognition, from when to when. */
export function MarksTab() {
  const { t } = useLanguage();
  const marks = useMarks();
  const [adding, setAdding] = useState(false);
  const [ending, setEnding] = useState<Mark | null>(null);
  const columns = useColumns(setEnding);
  return (
    <>
      <p className="agreements-note">
        <span>{t('marks.intro')}</span>
        <Button className="agreements-add" onClick={() => setAdding(true)}>
          {t('marks.add')}
        </Button>
      </p>
      <QueryTable
        query={marks}
        failed={t('agreements.failed')}
        empty={{ title: t('marks.empty.title'), text: t('marks.empty.text') }}
        label={t('marks.table')}
        columns={columns}
        rowKey={(one) => one.id}
      />
      {adding && <MarkDialog onClose={() => setAdding(false)} />}
      {ending !== null && <EndDialog mark={ending} onClose={() => setEnding(null)} />}
    </>
  );
}

function useColumns(onEnd: (mark: Mark) => void): Column<Mark>[] {
  const { t, language } = useLanguage();
  const today = useDay();
  return [
    {
      key: 'site',
      heading: t('marks.column.site'),
      width: 180,
      cell: (one) => <span className="strong">{siteOf(language, one)}</span>,
    },
    { key: 'modality', heading: t('marks.column.modality'), width: 90, cell: (one) => one.modality },
    { key: 'mark', heading: t('marks.column.mark'), width: 80, cell: (one) => one.mark },
    {
      key: 'dates',
      heading: t('agreements.column.dates'),
      width: 210,
      cell: (one) => t('agreements.dates', { from: one.valid_from, until: one.valid_until ?? t('agreements.open') }),
    },
    { key: 'basis', heading: t('agreements.column.document'), cell: (one) => one.basis },
    {
      key: 'state',
      heading: t('agreements.column.state'),
      width: 110,
      cell: (one) => <DatedState {...one} today={today} />,
    },
    {
      key: 'action',
      heading: t('agreements.column.action'),
      width: 90,
      cell: (one) =>
        one.valid_until === null || one.valid_until > today ? (
          <Button size="small" className="mark-end" onClick={() => onEnd(one)}>
            {t('agreements.end')}
          </Button>
        ) : null,
    },
  ];
}

function MarkDialog({ onClose }: { onClose: () => void }) {
  const { t, language } = useLanguage();
  const { message } = App.useApp();
  const sites = useSites(true);
  const { mutateAsync } = useAgreementAct();
  const today = useDay();
  const first = useRef<RefSelectProps>(null);
  const [body, setBody] = useState<MarkBody>({
    site_code: '',
    modality: '',
    mark: 'HR',
    basis: '',
    valid_from: today,
    valid_until: null,
  });
  const [tried, setTried] = useState(false);
  const put = (part: Partial<MarkBody>): void => setBody({ ...body, ...part });
  const missing =
    body.valid_from === '' || [body.site_code, body.modality, body.mark, body.basis].some((one) => one.trim() === '');
  const until = body.valid_until ?? null;
  const ready = (): boolean => {
    setTried(true);
    return !missing && !unordered({ from: body.valid_from, until: until ?? '' });
  };
  const save = async (): Promise<void> => {
    await mutateAsync({ kind: 'mark', body });
    void message.success(t('marks.granted'));
  };
  return (
    <FormDialog
      width={620}
      title={t('marks.add')}
      ok={t('app.save')}
      ready={ready}
      onSave={save}
      onClose={onClose}
      onOpened={() => first.current?.focus()}
      complaint={tried && missing && t('marks.form.missing')}
    >
      <Field label={t('marks.column.site')} wide>
        {(id) => (
          <Select
            id={id}
            ref={first}
            showSearch={{ optionFilterProp: 'label' }}
            value={body.site_code || null}
            options={(sites.data ?? []).map((one) => ({ value: one.code, label: siteName(language, one) }))}
            onChange={(code) => put({ site_code: code })}
          />
        )}
      </Field>
      <TextField
        label={t('marks.column.modality')}
        hint={t('marks.form.modalityHint')}
        longest={16}
        value={body.modality}
        onChange={(modality) => put({ modality: modality.toUpperCase() })}
      />
      <TextField label={t('marks.form.mark')} longest={16} value={body.mark} onChange={(mark) => put({ mark })} />
      <DaysFields
        hint={t('agreements.form.untilHint')}
        days={{ from: body.valid_from, until: until ?? '' }}
        onChange={(days) => put({ valid_from: days.from, valid_until: days.until || null })}
      />
      <TextField
        label={t('marks.form.basis')}
        hint={t('single.form.basisHint')}
        wide
        longest={200}
        value={body.basis}
        onChange={(basis) => put({ basis })}
      />
    </FormDialog>
  );
}

function EndDialog({ mark, onClose }: { mark: Mark; onClose: () => void }) {
  const { t, language } = useLanguage();
  const { message } = App.useApp();
  const { mutateAsync } = useAgreementAct();
  const today = useDay();
  const [lastDay, setLastDay] = useState(mark.valid_from > today ? mark.valid_from : today);
  const [reason, setReason] = useState('');
  const [tried, setTried] = useState(false);
  const missing = lastDay === '' || reason.trim() === '';
  const ready = (): boolean => {
    setTried(true);
    return !missing;
  };
  const save = async (): Promise<void> => {
    await mutateAsync({ kind: 'mark-end', id: mark.id, body: { last_day: lastDay, reason: reason.trim() } });
    void message.success(t('marks.ended'));
  };
  return (
    <FormDialog
      width={520}
      title={`${t('agreements.end')} · ${siteOf(language, mark)} ${mark.modality} ${mark.mark}`}
      ok={t('agreements.end')}
      ready={ready}
      onSave={save}
      onClose={onClose}
      complaint={tried && missing && t('marks.form.endMissing')}
    >
      <p className="field-wide">{t('marks.endExplain')}</p>
      <DayField
        label={t('marks.form.lastDay')}
        wide
        min={mark.valid_from}
        max={mark.valid_until ?? undefined}
        value={lastDay}
        onChange={setLastDay}
      />
      <TextField
        label={t('reason.label')}
        hint={t('marks.form.reasonHint')}
        wide
        autoFocus
        longest={LONGEST_REASON}
        value={reason}
        onChange={setReason}
      />
    </FormDialog>
  );
}
