import { App, Button, Input } from 'antd';
import { type SubmitEvent, useId, useState } from 'react';

import { asProblem } from '../api/problem';
import { Chip } from '../design/Chip';
import { ProblemNotice } from '../design/Notice';
import { formatClock, formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { wordsOf } from '../i18n/problemWords';
import { useMakeSigningKey, useSigningKey } from './queries';

/** One's signing key, and the making of it for who was approved; nothing for who signs nothing. */
export function SigningKeyPart() {
  const { t } = useLanguage();
  const found = useSigningKey();
  const key = found.data;
  if (key !== undefined && !key.signs && key.until === null) return null;
  return (
    <section className="account-part" aria-busy={found.isPending}>
      <h2>{t('account.key')}</h2>
      <p className="quiet">{t('account.key.note')}</p>
      {found.isError && <ProblemNotice error={found.error} onRetry={() => void found.refetch()} />}
      {key !== undefined && (
        <>
          <div className="account-factor">
            {key.until === null ? (
              <Chip tone="amber">{t('account.key.none')}</Chip>
            ) : (
              <Chip tone="green">{t('account.key.until', { date: key.until.slice(0, 10) })}</Chip>
            )}
            {key.locked_until !== null && (
              <Chip tone="red">{t('account.key.locked', { time: formatClock(key.locked_until) })}</Chip>
            )}
            {key.elsewhere && <Chip tone="slate">{t('account.key.elsewhere')}</Chip>}
            {key.serial !== null && <span className="quiet">{t('account.key.serial', { serial: key.serial })}</span>}
          </div>
          {key.approved_until === null ? (
            <p className="quiet">{t('account.key.ask')}</p>
          ) : (
            <>
              <p>{t('account.key.approved', { date: formatDateTime(key.approved_until) })}</p>
              <MakeForm shortest={key.shortest} />
            </>
          )}
        </>
      )}
    </section>
  );
}

const CODE_PROBLEMS: ReadonlySet<string> = new Set(['second-factor-to-sign', 'wrong-second-factor']);

function MakeForm({ shortest }: { shortest: number }) {
  const { t, language } = useLanguage();
  const { message } = App.useApp();
  const make = useMakeSigningKey();
  const [typed, setTyped] = useState({ pin: '', again: '', code: '' });
  const [wrong, setWrong] = useState<'short' | 'differ' | null>(null);
  const id = useId();
  const problem = make.error === null ? null : asProblem(make.error);
  const [asksCode, setAsksCode] = useState(false);
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const fault = typed.pin.length < shortest ? 'short' : typed.pin === typed.again ? null : 'differ';
    setWrong(fault);
    if (fault !== null || make.isPending) return;
    make.mutate(
      { pin: typed.pin, code: typed.code.trim() },
      {
        onSuccess: () => void message.success(t('account.key.made')),
        onError: (error) => {
          setTyped((now) => ({ ...now, code: '' }));
          if (CODE_PROBLEMS.has(asProblem(error).code)) setAsksCode(true);
        },
      },
    );
  };
  const words = problem === null ? null : wordsOf(language, problem);
  return (
    <form className="account-form" onSubmit={submit} noValidate autoComplete="off">
      <div>
        <label htmlFor={`${id}-pin`}>{t('account.key.pin', { n: shortest })}</label>
        <Input.Password
          id={`${id}-pin`}
          autoComplete="one-time-code"
          maxLength={63}
          value={typed.pin}
          onChange={(event) => setTyped({ ...typed, pin: event.target.value })}
        />
      </div>
      <div>
        <label htmlFor={`${id}-again`}>{t('account.key.again')}</label>
        <Input.Password
          id={`${id}-again`}
          autoComplete="one-time-code"
          maxLength={63}
          value={typed.again}
          onChange={(event) => setTyped({ ...typed, again: event.target.value })}
        />
      </div>
      {asksCode && (
        <div>
          <label htmlFor={`${id}-code`}>{t('account.factor.code')}</label>
          <Input
            id={`${id}-code`}
            autoFocus
            autoComplete="one-time-code"
            maxLength={40}
            value={typed.code}
            onChange={(event) => setTyped({ ...typed, code: event.target.value })}
          />
        </div>
      )}
      <div role="alert" className="account-message">
        {wrong !== null && t(`account.key.${wrong}`)}
        {wrong === null && words !== null && `${words.title} ${words.remedy ?? ''}`}
      </div>
      <Button type="primary" htmlType="submit" loading={make.isPending}>
        {t('account.key.make')}
      </Button>
    </form>
  );
}
