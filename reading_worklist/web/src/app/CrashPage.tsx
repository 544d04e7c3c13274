import { useLanguage } from '../i18n/language';
import './plain.css';

/** Shown when a page throws. It needs no component library, because that may be what failed to load. */
export function CrashPage() {
  const { t } = useLanguage();
  return (
    <main className="plain-page" role="alert">
      <h1>{t('crash.title')}</h1>
      <p>{t('crash.text')}</p>
      <button type="button" className="plain-button" onClick={() => location.reload()}>
        {t('crash.reload')}
      </button>
    </main>
  );
}
