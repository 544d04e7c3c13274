import { Chip } from '../design/Chip';
import { isPlainKey } from '../i18n/catalogue';
import { useLanguage } from '../i18n/language';

/** Why a study must stay for now. */
export function Obstacles({ words }: { words: readonly string[] }) {
  const { t } = useLanguage();
  return words.map((word) => {
    const key = `obstacle.${word}`;
    return (
      <Chip key={word} tone="amber">
        {isPlainKey(key) ? t(key) : word}
      </Chip>
    );
  });
}
