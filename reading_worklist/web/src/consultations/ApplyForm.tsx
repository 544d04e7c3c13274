import { App, Button, Input, Radio, Select } from 'antd';
import { type SubmitEvent, useId, useState } from 'react';

import { ProblemNotice } from '../design/Notice';
import type { PlainKey } from '../i18n/catalogue';
import { useLanguage } from '../i18n/language';
import { type Application, useApply, useExperts } from './queries';

const EMPTY = { reason: '', purpose: '', summary: '', consent_note: '' };

/** A question to an expert about one exam. */
export function ApplyForm({ workitem, onApplied }: { workitem: string; onApplied: () => void }) {
  const { t, language } = useLanguage();
  const { message } = App.useApp();
  const experts = useExperts(true);
  const { mutateAsync, isPending } = useApply(workitem);
  const [texts, setTexts] = useState(EMPTY);
  const [invitee, setInvitee] = useState<string | null>(null);
  const [specialty, setSpecialty] = useState('');
  const [urgency, setUrgency] = useState<Application['urgency']>('routine');
  const [basis, setBasis] = useState<Application['consent_basis']>('consent');
  const [refusal, setRefusal] = useState<unknown>(null);
  const ids = { purpose: useId(), summary: useId(), reason: useId(), consent: useId(), specialty: useId() };
  const written = Object.values(texts).every((text) => text.trim() !== '');
  const complete = invitee !== null && specialty.trim() !== '' && written;
  const choices = (experts.data ?? []).map((one) => ({
    value: one.person.id,
    // Who may not be asked stands there with the reason, so that nobody looks for him in vain.
    disabled: !one.may_be_asked,
    label: [
      one.person.display_name,
      one.title,
      one.specialty,
      language === 'en' && one.organisation_en !== '' ? one.organisation_en : one.organisation,
      one.may_be_asked ? null : t(one.practising_since === null ? 'consult.noLicence' : 'consult.tooYoung'),
    ]
      .filter((part) => part !== null && part !== '')
      .join(' · '),
  }));
  const choose = (id: string): void => {
    const before = experts.data?.find((one) => one.person.id === invitee)?.specialty ?? '';
    const known = experts.data?.find((one) => one.person.id === id)?.specialty ?? '';
    setInvitee(id);
    setSpecialty((old) => (old.trim() === '' || old === before ? known : old));
  };
  const send = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (!complete || isPending) return;
    setRefusal(null);
    try {
      await mutateAsync({
        invitee_id: invitee,
        urgency,
        specialty: specialty.trim(),
        consent_basis: basis,
        reason: texts.reason.trim(),
        purpose: texts.purpose.trim(),
        summary: texts.summary.trim(),
        consent_note: texts.consent_note.trim(),
      });
      void message.success(t('consult.done.apply'));
      onApplied();
    } catch (error) {
      setRefusal(error);
    }
  };
  const area = (field: keyof typeof EMPTY, id: string, hint: PlainKey, rows = 2) => (
    <Input.TextArea
      id={id}
      rows={rows}
      maxLength={10_000}
      value={texts[field]}
      placeholder={t(hint)}
      onChange={(event) => setTexts({ ...texts, [field]: event.target.value })}
    />
  );
  return (
    <form className="critical-form" onSubmit={(event) => void send(event)}>
      {experts.isError && <ProblemNotice error={experts.error} onRetry={() => void experts.refetch()} />}
      <Radio.Group
        aria-label={t('consult.urgency')}
        value={urgency}
        options={(['routine', 'urgent'] as const).map((each) => ({
          value: each,
          label: t(`consult.urgency.${each}Due`),
        }))}
        onChange={(event) => setUrgency(event.target.value === 'urgent' ? 'urgent' : 'routine')}
      />
      <Select
        aria-label={t('consult.expert')}
        placeholder={t('consult.chooseExpert')}
        value={invitee}
        options={choices}
        loading={experts.isPending}
        notFoundContent={t('consult.noExperts')}
        showSearch={{ optionFilterProp: 'label' }}
        popupMatchSelectWidth={false}
        onChange={(id: string | null) => id !== null && choose(id)}
      />
      <p className="quiet small">{t('consult.rule')}</p>
      <label htmlFor={ids.specialty} className="critical-label">
        {t('consult.specialty')}
      </label>
      <Input
        id={ids.specialty}
        maxLength={200}
        value={specialty}
        onChange={(event) => setSpecialty(event.target.value)}
      />
      <label htmlFor={ids.purpose} className="critical-label">
        {t('consult.purpose')}
      </label>
      {area('purpose', ids.purpose, 'consult.purposeHint')}
      <label htmlFor={ids.reason} className="critical-label">
        {t('consult.reason')}
      </label>
      {area('reason', ids.reason, 'consult.reasonHint')}
      <label htmlFor={ids.summary} className="critical-label">
        {t('consult.summary')}
      </label>
      {area('summary', ids.summary, 'consult.summaryHint', 3)}
      <Radio.Group
        aria-label={t('consult.consent')}
        value={basis}
        options={(['consent', 'emergency'] as const).map((each) => ({
          value: each,
          label: t(`consult.consent.${each}`),
        }))}
        onChange={(event) => setBasis(event.target.value === 'emergency' ? 'emergency' : 'consent')}
      />
      <label htmlFor={ids.consent} className="critical-label">
        {t(`consult.consentNote.${basis}`)}
      </label>
      {area('consent_note', ids.consent, basis === 'consent' ? 'consult.consentHint' : 'consult.emergencyHint', 1)}
      {refusal !== null && <ProblemNotice error={refusal} />}
      <Button type="primary" htmlType="submit" disabled={!complete} loading={isPending}>
        {t('consult.act.apply')}
      </Button>
    </form>
  );
}
