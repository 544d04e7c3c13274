import { Button, Input, type InputRef } from 'antd';
import { type SubmitEvent, useId, useRef, useState } from 'react';

import { asProblem, type Problem } from '../api/problem';
import { useLanguage } from '../i18n/language';
import { wordsOf } from '../i18n/problemWords';

/** Asks for one thing that proves who one is; a refusal is said below the field, which has the focus again. */
export function OneFieldForm({
  label,
  action,
  kind,
  onSubmit,
  onCancel,
}: {
  label: string;
  action: string;
  kind: 'code' | 'password';
  /** Throws when the server refuses. */
  onSubmit: (typed: string) => Promise<unknown>;
  onCancel?: () => void;
}) {
  const { t, language } = useLanguage();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const input = useRef<InputRef>(null);
  const id = useId();
  const submit = async (event: SubmitEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const typed = input.current?.input?.value.trim() ?? '';
    setProblem(null);
    if (typed === '' || busy) {
      input.current?.focus();
      return;
    }
    setBusy(true);
    try {
      await onSubmit(typed);
    } catch (error) {
      setProblem(asProblem(error));
      input.current?.focus({ cursor: 'all' });
    } finally {
      setBusy(false);
    }
  };
  const words = problem === null ? null : wordsOf(language, problem);
  return (
    <form className="account-form" onSubmit={(event) => void submit(event)} noValidate autoComplete="off">
      <div>
        <label htmlFor={id}>{label}</label>
        <Input
          ref={input}
          id={id}
          type={kind === 'password' ? 'password' : 'text'}
          autoComplete={kind === 'password' ? 'current-password' : 'one-time-code'}
          autoFocus
          spellCheck={false}
          maxLength={kind === 'password' ? 1000 : 40}
          status={words === null ? '' : 'error'}
          aria-describedby={`${id}-message`}
        />
      </div>
      <div id={`${id}-message`} role="alert" className="account-message">
        {words !== null && `${words.title} ${words.remedy ?? ''}`}
      </div>
      <div className="account-buttons">
        <Button type="primary" htmlType="submit" loading={busy}>
          {action}
        </Button>
        {onCancel !== undefined && <Button onClick={onCancel}>{t('app.cancel')}</Button>}
      </div>
    </form>
  );
}
