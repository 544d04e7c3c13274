import { useState } from 'react';
import { Navigate, useNavigate, useSearchParams } from 'react-router';

import { asProblem } from '../api/problem';
import type { ActingChoice, Session } from '../api/types';
import { Loading } from '../app/Loading';
import { useLanguage } from '../i18n/language';
import { wordsOf } from '../i18n/problemWords';
import { siteName } from '../i18n/siteName';
import { CardPage } from './CardPage';
import { ownPath } from './ownPath';
import { mustChoose, pageAfterChoice } from './roles';
import { roleNames } from './roleNames';
import { useChooseOrganisation, useSession, useSignInAddress, useSignOut } from './session';

/** After the password: for which organisation somebody acts who belongs to several. As light as the sign-in. */
export function OrganisationPage() {
  const [parameters] = useSearchParams();
  const session = useSession();
  const next = ownPath(parameters.get('next'));
  const signInAddress = useSignInAddress(next);
  if (session.isPending) return <Loading />;
  if (!session.data) return <Navigate to={signInAddress} replace />;
  if (!mustChoose(session.data)) return <Navigate to={next} replace />;
  return <Choice session={session.data} next={next} />;
}

function Choice({ session, next }: { session: Session; next: string }) {
  const { t, language } = useLanguage();
  const navigate = useNavigate();
  const choose = useChooseOrganisation();
  const signOut = useSignOut();
  const [chosen, setChosen] = useState<string | null>(null);
  const words = choose.error === null ? null : wordsOf(language, asProblem(choose.error));
  const goOn = (now: Session): void => void navigate(pageAfterChoice(now, next), { replace: true });
  const pick = (choice: ActingChoice): void => {
    if (choice.code === session.organisation.code) {
      goOn(session);
      return;
    }
    setChosen(choice.code);
    choose.mutate(choice.code, { onSuccess: goOn });
  };
  return (
    <CardPage title={t('organisation.title')} motto={t('organisation.text')}>
      <ul className="sign-in-choices" aria-label={t('organisation.list')}>
        {session.choices.map((choice) => (
          <li key={choice.id}>
            <button
              type="button"
              className="sign-in-choice"
              autoFocus={choice.code === session.organisation.code}
              aria-busy={choose.isPending && choice.code === chosen}
              disabled={choose.isPending}
              onClick={() => pick(choice)}
            >
              <strong>{siteName(language, choice)}</strong>
              <span>{roleNames(language, choice.roles)}</span>
            </button>
          </li>
        ))}
      </ul>
      <div className="sign-in-message" role="alert">
        {words !== null && (
          <p>
            <strong>{words.title}</strong> {words.remedy}
          </p>
        )}
      </div>
      <button type="button" className="sign-in-leave" onClick={() => signOut.mutate()}>
        {t('session.signOut')}
      </button>
    </CardPage>
  );
}
