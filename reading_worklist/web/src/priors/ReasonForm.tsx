import { Button, Input, Radio } from 'antd';
import { useId, useState } from 'react';

import type { PriorPurpose } from '../api/types';
import { ProblemNotice } from '../design/Notice';
import { useLanguage } from '../i18n/language';
import { PRIOR_PURPOSES, useGiveReason } from './queries';

const LONGEST_NOTE = 500;

/** Asks once why studies of other sites are needed. */
export function ReasonForm({ id, count }: { id: string; count: number }) {
  const { t } = useLanguage();
  const { mutate, isPending, error } = useGiveReason(id);
  const [purpose, setPurpose] = useState<PriorPurpose>('comparison');
  const [note, setNote] = useState('');
  const [missing, setMissing] = useState(false);
  const noteId = useId();
  const give = (): void => {
    const lacks = purpose === 'other' && note.trim() === '';
    setMissing(lacks);
    if (!lacks) mutate({ purpose, note: note.trim() });
  };
  return (
    <form
      className="prior-reason"
      onSubmit={(event) => {
        event.preventDefault();
        give();
      }}
    >
      <p className="strong">{t('priors.elsewhere', { n: count })}</p>
      <p className="quiet">{t('priors.why')}</p>
      <Radio.Group
        className="prior-purposes"
        value={purpose}
        aria-label={t('priors.why')}
        onChange={(event) => setPurpose(event.target.value as PriorPurpose)}
        options={PRIOR_PURPOSES.map((one) => ({ value: one, label: t(`priors.purpose.${one}`) }))}
      />
      <label htmlFor={noteId} className="reason-label">
        {t(purpose === 'other' ? 'priors.note' : 'priors.noteOptional')}
      </label>
      <Input
        id={noteId}
        value={note}
        maxLength={LONGEST_NOTE}
        status={missing ? 'error' : ''}
        onChange={(event) => setNote(event.target.value)}
      />
      <div className="reason-message" role="alert">
        {missing && t('reason.required')}
      </div>
      {error !== null && <ProblemNotice error={error} />}
      <Button type="primary" htmlType="submit" loading={isPending}>
        {t('priors.show')}
      </Button>
    </form>
  );
}
