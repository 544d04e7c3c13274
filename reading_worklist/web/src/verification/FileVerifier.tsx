import { type ChangeEvent, type DragEvent, useId, useState } from 'react';

import { asProblem } from '../api/problem';
import { isPlainKey } from '../i18n/catalogue';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { wordsOf } from '../i18n/problemWords';
import { Fact } from './Fact';
import { useFileVerification } from './queries';
import { Verdicts } from './Verdicts';

type Verified = NonNullable<ReturnType<typeof useFileVerification>['data']>;

/** Takes a report's file, chosen or dropped, and says what its signatures amount to. */
export function FileVerifier() {
  const { t, language } = useLanguage();
  const verification = useFileVerification();
  const [over, setOver] = useState(false);
  const inputId = useId();
  const hintId = useId();
  const take = (file: File | undefined): void => {
    if (file !== undefined) verification.mutate(file);
  };
  const choose = (event: ChangeEvent<HTMLInputElement>): void => {
    take(event.currentTarget.files?.[0]);
    // The same file chosen again is verified again.
    event.currentTarget.value = '';
  };
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files[0]);
  };
  const problem = verification.isError ? wordsOf(language, asProblem(verification.error)) : null;
  return (
    <section
      className={over ? 'verify-file verify-file-over' : 'verify-file'}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => {
        setOver(false);
      }}
      onDrop={drop}
    >
      {/* The browser's own words for a choice of files are in the browser's language, not in ours. */}
      <input
        id={inputId}
        className="visually-hidden"
        type="file"
        accept="application/pdf,.pdf"
        aria-describedby={hintId}
        onChange={choose}
      />
      <label htmlFor={inputId}>{t('verify.fileLabel')}</label>
      <p id={hintId} className="verify-note">
        {t('verify.fileHint')}
      </p>
      {verification.isPending && <p role="status">{t('verify.checking')}</p>}
      {problem !== null && (
        <p className="verdict verdict-bad" role="alert">
          <strong>{problem.title}</strong>
          {problem.remedy}
        </p>
      )}
      {verification.isSuccess && <Found name={verification.variables.name} found={verification.data} />}
    </section>
  );
}

function Found({ name, found }: { name: string; found: Verified }) {
  const { t } = useLanguage();
  const known = found.known;
  const recalled = known?.recalled ?? null;
  const recalledAt = known?.recalled_at ?? null;
  const statusKey = known === null ? '' : `final.status.${known.status}`;
  return (
    <>
      {recalled !== null && (
        <p className="verdict verdict-bad" role="alert">
          <strong>{t(`verify.recalled.${recalled}`)}</strong>
          {recalledAt !== null && t('verify.recalledAt', { time: formatDateTime(recalledAt) })}
        </p>
      )}
      <Verdicts verification={found} />
      <dl className="verify-facts">
        <Fact name={t('verify.fileName')} value={name} />
        <Fact name={t('verify.report')} value={t(known === null ? 'verify.fileUnknown' : 'verify.fileKnown')} />
        {known !== null && (
          <>
            <Fact
              name={t('verify.version')}
              value={`${t('final.version', { n: known.version_number })} · ${isPlainKey(statusKey) ? t(statusKey) : known.status}`}
            />
            <Fact name={t('verify.issued')} value={formatDateTime(known.issued_at)} />
          </>
        )}
        <Fact name={t('verify.digest')} value={found.sha256} />
      </dl>
    </>
  );
}
