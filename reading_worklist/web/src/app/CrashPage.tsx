import { Failed } from '../design/Failed';
import { useLanguage } from '../i18n/language';
import './plain.css';

/** Shown for a page that throws, or whose file does not come, below a header that still leads to the others. */
export function FailedPage() {
  const { t } = useLanguage();
  return (
    <div className="plain-page crashed">
      <Failed title={t('crash.title')} level="h1" />
    </div>
  );
}

/** The same where there is nothing else on the screen. */
export function CrashPage() {
  return (
    <main>
      <FailedPage />
    </main>
  );
}
