import { Button } from 'antd';

import type { Session } from '../api/types';
import { LanguageSwitch } from '../design/LanguageSwitch';
import { Mark } from '../design/Mark';
import { useLanguage } from '../i18n/language';
import { useSessionAgain, useSignOut } from '../session/session';
import '../session/signIn.css';
import { OneFieldForm } from './OneFieldForm';
import { PasswordForm } from './PasswordForm';
import { useSecondFactorActs } from './queries';
import { Enrol } from './SecondFactor';
import './account.css';

/** What somebody who has signed in has to do before anything else: prove, set up, or choose a password. */
export function OutstandingPage({
  session,
  outstanding,
}: {
  session: Session;
  outstanding: NonNullable<Session['outstanding']>;
}) {
  const { t } = useLanguage();
  const acts = useSecondFactorActs();
  const again = useSessionAgain();
  const signOut = useSignOut();
  return (
    <div className="sign-in account-outstanding">
      <header className="sign-in-head">
        <LanguageSwitch />
      </header>
      <main className="sign-in-main">
        <section className="sign-in-card">
          <Mark size={44} />
          <h1>{t(`account.outstanding.${outstanding}`)}</h1>
          <p className="sign-in-motto">
            {outstanding === 'code' ? t('session.code.note') : t(`account.outstanding.${outstanding}.note`)}
          </p>
          {outstanding === 'code' && (
            <OneFieldForm
              label={t('account.factor.code')}
              action={t('account.factor.prove')}
              kind="code"
              onSubmit={async (code) => {
                await acts.prove(code);
                await again();
              }}
            />
          )}
          {outstanding === 'password' && <PasswordForm onChanged={() => void again()} />}
          {outstanding === 'enrol' && <Enrol ownPassword={session.provider === null} onDone={() => void again()} />}
          <Button type="link" className="account-leave" onClick={() => signOut.mutate()}>
            {t('session.signOut')}
          </Button>
        </section>
      </main>
    </div>
  );
}
