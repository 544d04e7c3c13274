import { LANGUAGES } from '../i18n/catalogue';
import { useLanguage } from '../i18n/language';
import './languageSwitch.css';

/** Both languages side by side, each in its own words. */
export function LanguageSwitch() {
  const { language, setLanguage, t } = useLanguage();
  return (
    <div className="language-switch" role="group" aria-label={t('language.switch')}>
      {LANGUAGES.map((each) => (
        <button key={each} type="button" lang={each} aria-pressed={each === language} onClick={() => setLanguage(each)}>
          {t(`language.${each}`)}
        </button>
      ))}
    </div>
  );
}
