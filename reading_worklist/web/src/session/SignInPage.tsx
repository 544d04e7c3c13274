import { type KeyboardEvent, type SubmitEvent, useId, useRef, useState } from 'react';
import { Navigate, useSearchParams } from 'react-router';

import { asProblem } from '../api/problem';
import { isPlainKey, textOf } from '../i18n/catalogue';
import { useLanguage } from '../i18n/language';
import { wordsOf } from '../i18n/problemWords';
import { CardPage } from './CardPage';
import { ownPath } from './ownPath';
import { mustChoose } from './roles';
import { useProviders, useSession, useSignIn } from './session';

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
    <CardPage
      title={t('app.name')}
      motto={t('session.motto')}
      aside={
        <section className="sign-in-brand" aria-hidden="true">
          <svg viewBox="0 0 640 200" className="sign-in-trace" preserveAspectRatio="xMidYMid slice">
            <path d="M0 120h92l8-9 9 9h14l6 7 10-74 12 96 7-29h22l16-17 18 17h80l8-9 9 9h14l6 7 10-74 12 96 7-29h22l16-17 18 17h80l8-9 9 9h14l6 7 10-74 12 96 7-29h22l16-17 18 17h60" />
          </svg>
        </section>
      }
    >
      {parameters.has('ended') && <p className="sign-in-note">{t('session.ended')}</p>}
      <SignInForm signIn={signIn} />
      <ProviderButtons next={next} problem={parameters.get('problem')} />
    </CardPage>
  );
}

function SignInForm({ signIn }: { signIn: ReturnType<typeof useSignIn> }) {
  const { t, language } = useLanguage();
  const [visible, setVisible] = useState(false);
  const [capsLock, setCapsLock] = useState(false);
  const [incomplete, setIncomplete] = useState(false);
  const [known, setKnown] = useState<{ login: string; password: string } | null>(null);
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
      {
        onError: (error) => {
          if (asProblem(error).code === 'second-factor-required') setKnown({ login, password });
          else form.current?.querySelector<HTMLInputElement>('[name=password]')?.select();
        },
      },
    );
  };
  if (known !== null) return <CodeStep signIn={signIn} known={known} onBack={() => setKnown(null)} />;

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

/** After the password of somebody with a second factor: the code of the device, or one from paper. */
function CodeStep({
  signIn,
  known,
  onBack,
}: {
  signIn: ReturnType<typeof useSignIn>;
  known: { login: string; password: string };
  onBack: () => void;
}) {
  const { t, language } = useLanguage();
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const code = input.current?.value.trim() ?? '';
    if (code === '' || signIn.isPending) return;
    signIn.mutate({ ...known, code }, { onError: () => input.current?.select() });
  };
  const problem = signIn.error === null ? null : asProblem(signIn.error);
  const words = problem === null || problem.code === 'second-factor-required' ? null : wordsOf(language, problem);
  return (
    <form className="sign-in-form" onSubmit={submit} noValidate>
      <label htmlFor={id}>{t('session.code')}</label>
      <input
        ref={input}
        id={id}
        name="code"
        autoComplete="one-time-code"
        autoCapitalize="none"
        spellCheck={false}
        autoFocus
        aria-describedby={`${id}-note ${id}-message`}
      />
      <p id={`${id}-note`} className="sign-in-hint">
        {t('session.code.note')}
      </p>
      <div id={`${id}-message`} className="sign-in-message" role="alert">
        {words !== null && (
          <p>
            <strong>{words.title}</strong>
            <span>{words.remedy}</span>
          </p>
        )}
      </div>
      <button type="submit" className="sign-in-submit" disabled={signIn.isPending}>
        {signIn.isPending ? t('session.signingIn') : t('session.signIn')}
      </button>
      <button
        type="button"
        className="sign-in-leave"
        onClick={() => {
          signIn.reset();
          onBack();
        }}
      >
        {t('session.code.back')}
      </button>
    </form>
  );
}

/** Other ways in, where the installation has any, and why the last one did not lead in. */
function ProviderButtons({ next, problem }: { next: string; problem: string | null }) {
  const { t, language } = useLanguage();
  const { data: providers = [] } = useProviders();
  const key = `problem.${problem ?? ''}`;
  return (
    <>
      {problem !== null && (
        <p className="sign-in-problem" role="alert">
          {textOf(language, isPlainKey(key) ? key : 'problem.outside-failed')}
        </p>
      )}
      {providers.length > 0 && (
        <div className="sign-in-providers">
          <span className="sign-in-or">{t('session.or')}</span>
          {providers.map((one) => (
            <a
              key={one.name}
              className="sign-in-provider"
              href={`/api/session/outside/${encodeURIComponent(one.name)}?next=${encodeURIComponent(next)}`}
            >
              {t('session.provider', { name: language === 'en' ? one.label_en || one.label : one.label })}
            </a>
          ))}
        </div>
      )}
    </>
  );
}

function textIn(data: FormData, name: string): string {
  const value = data.get(name);
  return typeof value === 'string' ? value : '';
}
