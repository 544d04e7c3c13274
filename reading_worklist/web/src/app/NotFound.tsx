import { Link } from 'react-router';

import { Empty } from '../design/Notice';
import { useLanguage } from '../i18n/language';

export function NotFound() {
  const { t } = useLanguage();
  return (
    <>
      <h1 className="visually-hidden">{t('notFound.title')}</h1>
      <Empty title={t('notFound.title')} text={t('notFound.text')} action={<Link to="/">{t('notFound.home')}</Link>} />
    </>
  );
}
