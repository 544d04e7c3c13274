import { Chip } from '../design/Chip';
import { useLanguage } from '../i18n/language';

/** Whether something with a first and a last day, or none, holds today. */
export function DatedState({
  valid_from: from,
  valid_until: until,
  today,
}: {
  valid_from: string;
  valid_until: string | null;
  today: string;
}) {
  const { t } = useLanguage();
  if (from > today) {
    return (
      <Chip tone="blue" hollow>
        {t('agreements.coming')}
      </Chip>
    );
  }
  const over = until !== null && until < today;
  return <Chip tone={over ? 'slate' : 'green'}>{t(over ? 'agreements.over' : 'agreements.holds')}</Chip>;
}
