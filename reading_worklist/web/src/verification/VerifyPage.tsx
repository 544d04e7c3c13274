import { type SubmitEvent, useId } from 'react';
import { useNavigate, useParams } from 'react-router';

import { asProblem } from '../api/problem';
import { isPlainKey } from '../i18n/catalogue';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { wordsOf } from '../i18n/problemWords';
import { CardPage } from '../session/CardPage';
import { Fact } from './Fact';
import { FileVerifier } from './FileVerifier';
import { isCode, useCodeVerification } from './queries';
import { Verdicts } from './Verdicts';
import './verify.css';

/** Where the QR code of a printed report leads: anybody may see whether the report is genuine, and nothing of the patient. */
export function VerifyPage() {
  const { t } = useLanguage();
  const { code = '' } = useParams();
  const wanted = code.trim().toUpperCase();
  return (
    <CardPage title={t('verify.title')} motto={t('app.name')} card="verify-card" mark={36}>
      <CodeForm key={wanted} code={wanted} />
      {isCode(wanted) && <Result code={wanted} />}
      <FileVerifier />
      <p className="verify-note">{t('verify.privacy')}</p>
    </CardPage>
  );
}

function CodeForm({ code }: { code: string }) {
  const { t } = useLanguage();
  const navigate = useNavigate();
  const inputId = useId();
  const hintId = useId();
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const typed = new FormData(event.currentTarget).get('code');
    const wanted = typeof typed === 'string' ? typed.replace(/[\s-]/g, '').toUpperCase() : '';
    if (isCode(wanted)) void navigate(`/verify/${wanted}`, { replace: true });
  };
  return (
    <form className="sign-in-form verify-form" onSubmit={submit}>
      <label htmlFor={inputId}>{t('verify.enterLabel')}</label>
      <div className="verify-line">
        <input
          id={inputId}
          name="code"
          defaultValue={code}
          maxLength={20}
          autoCapitalize="characters"
          autoComplete="off"
          spellCheck={false}
          aria-describedby={hintId}
        />
        <button type="submit" className="sign-in-submit">
          {t('verify.submit')}
        </button>
      </div>
      <p id={hintId} className="verify-note">
        {t('verify.enter')}
      </p>
    </form>
  );
}

function Result({ code }: { code: string }) {
  const { t, language } = useLanguage();
  const verification = useCodeVerification(code);
  if (verification.isPending) return <p role="status">{t('verify.checking')}</p>;
  if (verification.isError) {
    const problem = asProblem(verification.error);
    const words =
      problem.status === 404
        ? { title: t('verify.notFound'), remedy: t('verify.notFoundHint') }
        : wordsOf(language, problem);
    return (
      <div role="alert">
        <p className="verdict verdict-bad">
          <strong>{words.title}</strong>
          {words.remedy}
        </p>
      </div>
    );
  }
  const report = verification.data;
  const chinese = language === 'zh-CN';
  const statusKey = `final.status.${report.status}`;
  return (
    <>
      {report.recalled !== null && (
        <p className="verdict verdict-bad" role="alert">
          <strong>{t(`verify.recalled.${report.recalled}`)}</strong>
          {report.recalled_at !== null && t('verify.recalledAt', { time: formatDateTime(report.recalled_at) })}
        </p>
      )}
      <Verdicts verification={report} />
      <dl className="verify-facts">
        <Fact name={t('verify.report')} value={chinese ? report.title_zh : report.title_en} />
        <Fact
          name={t('verify.examining')}
          value={chinese ? report.examining_institution : report.examining_institution_en}
        />
        <Fact
          name={t('verify.diagnosing')}
          value={chinese ? report.diagnosing_institution : report.diagnosing_institution_en}
        />
        <Fact
          name={t('verify.version')}
          value={`${t('final.version', { n: report.version_number })} · ${isPlainKey(statusKey) ? t(statusKey) : report.status}`}
        />
        {report.single_signature_basis !== '' && (
          <Fact name={t('verify.singleSignature')} value={report.single_signature_basis} />
        )}
        <Fact name={t('verify.issued')} value={formatDateTime(report.issued_at)} />
        <Fact name={t('verify.digest')} value={report.sha256} />
      </dl>
    </>
  );
}
