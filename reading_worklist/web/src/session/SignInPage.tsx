import { type KeyboardEvent, type SubmitEvent, useId, useRef, useState } from 'react';
import { Navigate, useSearchParams } from 'react-router';

import { asProblem } from '../api/problem';
import { LanguageSwitch } from '../design/LanguageSwitch';
import { Mark } from '../design/Mark';
import { useLanguage } from '../i18n/language';
import { wordsOf } from '../i18n/problemWords';
import { ownPath } from './ownPath';
import { mustChoose } from './roles';
import { useSession, useSignIn } from './session';
import './signIn.css';

/** The first page. It needs nothing of the component library, so that it is there at once on a slow line. */
export function SignInPage() {
  const { t } = useLanguage();
  const [parameters] = useSearchParams();
  const session = useSession();
  const signIn = useSignIn();
  const next = ownPath(parameters.get('next'));
  if (session.data) {
    const chooses = !signIn.isIdle && mustChoose(session.data);
    return <Navigate to={chooses ? `/organisation?next=${encodeURIComponent(next)}` : next} replace />;
  }
  return (
    <div className="sign-in">
      <header className="sign-in-head">
        <LanguageSwitch />
      </header>
      <main className="sign-in-main">
        <section className="sign-in-brand" aria-hidden="true">
          <svg viewBox="0 0 640 200" className="sign-in-trace" preserveAspectRatio="xMidYMid slice">
            <path d="M0 120h92l8-9 9 9h14l6 7 10-74 12 96 7-29h22l16-17 18 17h80l8-9 9 9h14l6 7 10-74 12 96 7-29h22l16-17 18 17h80l8-9 9 9h14l6 7 10-74 12 96 7-29h22l16-17 18 17h60" />
          </svg>
        </section>
        <section className="sign-in-card">
          <Mark size={44} />
          <h1>{t('app.name')}</h1>
          <p className="sign-in-motto">{t('session.motto')}</p>
          {parameters.has('ended') && <p className="sign-in-note">{t('session.ended')}</p>}
          <SignInForm signIn={signIn} />
        </section>
      </main>
    </div>
  );
}

function SignInForm({ signIn }: { signIn: ReturnType<typeof useSignIn> }) {
  const { t, language } = useLanguage();
  const [visible, setVisible] = useState(false);
  const [capsLock, setCapsLock] = useState(false);
  const [incomplete, setIncomplete] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const loginId = useId();
  const passwordId = useId();
  const messageId = useId();

  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const login = textIn(data, 'login').trim();
    const password = textIn(data, 'password');
    setIncomplete(login === '' || password === '');
    if (login === '' || password === '') return;
    signIn.mutate(
      { login, password },
      { onError: () => form.current?.querySelector<HTMLInputElement>('[name=password]')?.select() },
    );
  };
  const watchCapsLock = (event: KeyboardEvent) => setCapsLock(event.getModifierState('CapsLock'));

  const words = signIn.error === null ? null : wordsOf(language, asProblem(signIn.error));
  return (
    <form ref={form} className="sign-in-form" onSubmit={submit} noValidate>
      <label htmlFor={loginId}>{t('session.login')}</label>
      {/* The page exists for this one field. */}
      <input
        id={loginId}
        name="login"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        autoFocus
        aria-describedby={messageId}
      />
      <label htmlFor={passwordId}>{t('session.password')}</label>
      <div className="sign-in-password">
        <input
          id={passwordId}
          name="password"
          type={visible ? 'text' : 'password'}
          autoComplete="current-password"
          aria-describedby={messageId}
          onKeyUp={watchCapsLock}
        />
        <button type="button" className="sign-in-reveal" aria-pressed={visible} onClick={() => setVisible(!visible)}>
          <span className="visually-hidden">{visible ? t('session.hidePassword') : t('session.showPassword')}</span>
          <svg viewBox="0 0 20 20" aria-hidden="true">
            <path d="M1.5 10S4.6 4.5 10 4.5 18.5 10 18.5 10 15.4 15.5 10 15.5 1.5 10 1.5 10Z" />
            <circle cx="10" cy="10" r="2.6" />
            {!visible && <path d="M3.5 16.5l13-13" />}
          </svg>
        </button>
      </div>
      <div id={messageId} className="sign-in-message" role="alert">
        {incomplete && <p>{t('session.required')}</p>}
        {!incomplete && words !== null && (
          <p>
            <strong>{words.title}</strong>
            <span>{words.remedy}</span>
          </p>
        )}
        {capsLock && <p className="sign-in-caps">{t('session.capsLock')}</p>}
      </div>
      <button type="submit" className="sign-in-submit" disabled={signIn.isPending}>
        {signIn.isPending ? t('session.signingIn') : t('session.signIn')}
      </button>
    </form>
  );
}

function textIn(data: FormData, name: string): string {
  const value = data.get(name);
  return typeof value === 'string' ? value : '';
}
