import { type SubmitEvent, useId, useState } from 'react';
import { useNavigate } from 'react-router';

import { asProblem } from '../api/problem';
import { isPlainKey } from '../i18n/catalogue';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { wordsOf } from '../i18n/problemWords';
import { CardPage } from '../session/CardPage';
import { Fact } from '../verification/Fact';
import { type SharedStudy, useOpenShare, useShared } from './queries';
import '../verification/verdicts.css';
import '../verification/verify.css';
import './shares.css';

/** Where a link leads that shows one exam to a doctor outside; he has no account. */
export function SharePage() {
  const { t } = useLanguage();
  const [token] = useState(() => window.location.hash.slice(1));
  const navigate = useNavigate();
  const opening = useOpenShare();
  const shared = useShared(opening.data === undefined && token === '');
  const study = opening.data ?? shared.data;
  return (
    <CardPage title={t('share.page.title')} motto={t('app.name')} card="verify-card" mark={36}>
      {study !== undefined ? (
        <Shown study={study} />
      ) : token === '' ? (
        !shared.isLoading && (
          <p className="share-none" role="alert">
            <strong>{t('share.page.noToken')}</strong> {t('share.page.noTokenHint')}
          </p>
        )
      ) : (
        <CodeForm
          busy={opening.isPending}
          error={opening.error}
          onOpen={(code) =>
            opening.mutate(
              { token, code },
              // Who comes back from the images is not asked again, and the link stays in no history.
              { onSuccess: () => void navigate('/share', { replace: true }) },
            )
          }
        />
      )}
    </CardPage>
  );
}

interface CodeFormProps {
  busy: boolean;
  error: unknown;
  onOpen: (code: string) => void;
}

/** Nothing is opened by itself: what looks at links before people do would be counted as a visit. */
function CodeForm({ busy, error, onOpen }: CodeFormProps) {
  const { t, language } = useLanguage();
  const inputId = useId();
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const typed = new FormData(event.currentTarget).get('code');
    onOpen(typeof typed === 'string' ? typed.replace(/\D/g, '') : '');
  };
  const problem = error === null || error === undefined ? null : asProblem(error);
  const words =
    problem === null
      ? null
      : problem.status === 404
        ? { title: t('share.page.gone'), remedy: t('share.page.goneHint') }
        : wordsOf(language, problem);
  return (
    <form className="sign-in-form verify-form" onSubmit={submit}>
      <label htmlFor={inputId}>{t('share.page.code')}</label>
      <div className="verify-line">
        <input id={inputId} name="code" maxLength={12} inputMode="numeric" autoComplete="one-time-code" autoFocus />
        <button type="submit" className="sign-in-submit" disabled={busy}>
          {t('share.page.open')}
        </button>
      </div>
      {words !== null && (
        <p className="verdict verdict-bad" role="alert">
          <strong>{words.title}</strong> {words.remedy}
        </p>
      )}
    </form>
  );
}

function Shown({ study }: { study: SharedStudy }) {
  const { t, language } = useLanguage();
  const chinese = language === 'zh-CN';
  const statusKey = `final.status.${study.report?.status ?? ''}`;
  const what = [study.study_date, study.modalities.join(' '), study.description];
  return (
    <>
      <dl className="verify-facts">
        <Fact name={t('share.page.patient')} value={study.patient_name} />
        <Fact name={t('share.page.exam')} value={what.filter((part) => part !== null && part !== '').join(' · ')} />
        <Fact name={t('share.page.site')} value={chinese ? study.site : study.site_en} />
        <Fact
          name={t('share.page.report')}
          value={
            study.report === null
              ? t('share.page.noReport')
              : `${isPlainKey(statusKey) ? t(statusKey) : study.report.status} · ${formatDateTime(study.report.issued_at)}`
          }
        />
      </dl>
      <p className="share-ways">
        <a className="sign-in-submit" href={study.viewer_url}>
          {t('share.page.images')}
        </a>
        {study.report !== null && (
          <a className="sign-in-submit share-second" href="/api/shared/report" target="_blank" rel="noreferrer">
            {t('share.page.pdf')}
          </a>
        )}
      </p>
      <p className="verify-note">{t('share.page.note', { time: formatDateTime(study.ends_at) })}</p>
    </>
  );
}
