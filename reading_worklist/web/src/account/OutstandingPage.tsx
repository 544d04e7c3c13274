import { Button } from 'antd';

import type { Session } from '../api/types';
import { useLanguage } from '../i18n/language';
import { CardPage } from '../session/CardPage';
import { useSessionAgain, useSignOut } from '../session/session';
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
    <CardPage
      className="account-outstanding"
      title={t(`account.outstanding.${outstanding}`)}
      motto={outstanding === 'code' ? t('session.code.note') : t(`account.outstanding.${outstanding}.note`)}
    >
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
    </CardPage>
  );
}
