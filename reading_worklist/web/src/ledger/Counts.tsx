import { ProblemNotice } from '../design/Notice';
import { useLanguage } from '../i18n/language';
import type { StuckRule } from '../api/types';
import { useStuckCounts } from './queries';

interface CountsProps {
  site: string | null;
  chosen: StuckRule | null;
  onChoose: (rule: StuckRule | null) => void;
}

/** How many exams each rule stops; pressing one shows those, pressing it again shows all. */
export function Counts({ site, chosen, onChoose }: CountsProps) {
  const { t } = useLanguage();
  const counts = useStuckCounts(site);
  if (counts.isError) {
    return (
      <div className="page-problem">
        <ProblemNotice error={counts.error} onRetry={() => void counts.refetch()} />
      </div>
    );
  }
  const shown = (counts.data?.rules ?? []).filter((one) => one.exams > 0 || one.rule === chosen);
  if (shown.length === 0) return null;
  return (
    <div className="ledger-counts" role="group" aria-label={t('ledger.counts')}>
      {shown.map((one) => (
        <button
          key={one.rule}
          type="button"
          className={one.rule === chosen ? 'ledger-count ledger-count-chosen' : 'ledger-count'}
          aria-pressed={one.rule === chosen}
          title={t('ledger.mender', { who: t(`ledger.mender.${one.mender}`) })}
          onClick={() => onChoose(one.rule === chosen ? null : one.rule)}
        >
          {t(`ledger.rule.${one.rule}`)}{' '}
          <strong>
            {one.exams}
            {one.more && '+'}
          </strong>
        </button>
      ))}
    </div>
  );
}
