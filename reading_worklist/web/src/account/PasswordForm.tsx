import { App, Button, Input } from 'antd';
import { type SubmitEvent, useId, useState } from 'react';

import { asProblem } from '../api/problem';
import { useLanguage } from '../i18n/language';
import { wordsOf } from '../i18n/problemWords';
import { useChangePassword } from './queries';
import './account.css';

const NOTHING = { old: '', new: '', again: '' };
const FIELDS = ['old', 'new', 'again'] as const;

/** Asks for the present password and twice for the new one. */
export function PasswordForm({ onChanged }: { onChanged?: () => void }) {
  const { t, language } = useLanguage();
  const { message } = App.useApp();
  const change = useChangePassword();
  const [typed, setTyped] = useState(NOTHING);
  const [wrong, setWrong] = useState<'missing' | 'differ' | null>(null);
  const id = useId();
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const missing = FIELDS.some((field) => typed[field] === '');
    const fault = missing ? 'missing' : typed.new === typed.again ? null : 'differ';
    setWrong(fault);
    if (fault !== null || change.isPending) return;
    change.mutate(
      { old: typed.old, new: typed.new },
      {
        onSuccess: () => {
          setTyped(NOTHING);
          void message.success(t('account.password.saved'));
          onChanged?.();
        },
      },
    );
  };
  const words = change.error === null ? null : wordsOf(language, asProblem(change.error));
  return (
    <form className="account-form" onSubmit={submit} noValidate>
      {FIELDS.map((field) => (
        <div key={field}>
          <label htmlFor={`${id}-${field}`}>{t(`account.password.${field}`)}</label>
          <Input.Password
            id={`${id}-${field}`}
            autoComplete={field === 'old' ? 'current-password' : 'new-password'}
            value={typed[field]}
            onChange={(event) => setTyped({ ...typed, [field]: event.target.value })}
          />
        </div>
      ))}
      <div role="alert" className="account-message">
        {wrong !== null && t(`account.password.${wrong}`)}
        {wrong === null && words !== null && `${words.title} ${words.remedy ?? ''}`}
      </div>
      <Button type="primary" htmlType="submit" loading={change.isPending}>
        {t('account.password.save')}
      </Button>
    </form>
  );
}
