import { useLanguage } from '../i18n/language';
import './plain.css';

/** Shown while a page's code is on its way; appears only after a moment, so that fast lines never flash it. */
export function Loading() {
  const { t } = useLanguage();
  return (
    <div className="plain-page plain-loading" role="status">
      <p>{t('app.loading')}</p>
    </div>
  );
}
