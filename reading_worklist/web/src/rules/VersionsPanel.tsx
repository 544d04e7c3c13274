import { Button } from 'antd';

import { Chip, type Tone } from '../design/Chip';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { changes } from './draft';
import type { Ruleset } from './queries';

const TONES: Record<Ruleset['state'], Tone> = { ON: 'green', OFF: 'slate', DRAFT: 'amber' };

/** Every version with who made it, when and why, and what it changed. */
export function VersionsPanel({
  versions,
  onTake,
}: {
  versions: readonly Ruleset[];
  onTake: (version: Ruleset) => void;
}) {
  const { t } = useLanguage();
  return (
    <section className="rules-panel" aria-label={t('versions.title')}>
      {versions.length === 0 && <p className="rules-hint">{t('versions.empty')}</p>}
      <ol className="versions">
        {versions.map((one, at) => (
          <li key={one.id}>
            <div className="versions-head">
              <strong>{t('versions.version', { n: one.version })}</strong>
              <Chip tone={TONES[one.state]} hollow={one.state === 'DRAFT'}>
                {t(`versions.state.${one.state}`)}
              </Chip>
              <span className="quiet small">
                {t('versions.by', { name: one.created_by.display_name, time: formatDateTime(one.created_at) })}
              </span>
              {one.state !== 'ON' && (
                <Button size="small" onClick={() => onTake(one)}>
                  {t('versions.take')}
                </Button>
              )}
            </div>
            {one.note !== '' && <p>{one.note}</p>}
            <Differences before={versions[at + 1]?.rules ?? []} after={one.rules} />
          </li>
        ))}
      </ol>
    </section>
  );
}

function Differences({ before, after }: { before: Ruleset['rules']; after: Ruleset['rules'] }) {
  const { t } = useLanguage();
  const found = changes(before, after);
  if (found.length === 0) return <p className="quiet small">{t('versions.same')}</p>;
  return (
    <ul className="versions-changes small">
      {found.map((change) => (
        <li key={`${change.kind} ${change.name}`}>
          <span className={`versions-${change.kind}`}>{t(`rules.change.${change.kind}`)}</span> {change.name}
        </li>
      ))}
    </ul>
  );
}
