import { Button, Segmented } from 'antd';

import { ModalityMark } from '../design/Chip';
import { ProblemNotice } from '../design/Notice';
import { type Column, Table } from '../design/Table';
import { formatShortTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { useMinute } from '../design/clock';
import type { MovedStudy, Trial } from './queries';
import { groupWord, siteWord, type Words } from './sentence';

export const TRIAL_DAYS = [7, 30, 90] as const;

interface TrialPanelProps {
  trial: Trial | null;
  /** How many days `trial` looked at. */
  days: number;
  chosen: number;
  /** Whether the rules were changed since. */
  stale: boolean;
  busy: boolean;
  error: unknown;
  words: Words;
  onChoose: (days: number) => void;
  onTry: () => void;
}

/** Which past exams the rules would have sent elsewhere than what is in use. */
export function TrialPanel({ trial, days, chosen, stale, busy, error, words, onChoose, onTry }: TrialPanelProps) {
  const { t } = useLanguage();
  const columns = useColumns(words);
  return (
    <section className="rules-panel" aria-label={t('trial.title')}>
      <div className="rules-panel-head">
        <Segmented
          aria-label={t('rules.try')}
          value={chosen}
          options={TRIAL_DAYS.map((value) => ({ value, label: t('rules.tryDays', { n: value }) }))}
          onChange={onChoose}
        />
        <Button type="primary" className="rules-try" loading={busy} onClick={onTry}>
          {t('rules.try')}
        </Button>
      </div>
      {error !== null && <ProblemNotice error={error} />}
      {trial === null && error === null && <p className="rules-hint">{t('trial.intro')}</p>}
      {trial !== null && (
        <>
          <p className="trial-sum" role="status">
            {t('trial.moved', { days, examined: trial.examined, moved: trial.moved })}
          </p>
          <p className="rules-hint">
            {stale && <span className="danger">{t('trial.stale')} </span>}
            {trial.moved === 0 && t('trial.same')}
            {!trial.complete && t('trial.incomplete', { n: trial.examined })}
            {trial.moved > trial.studies.length && t('trial.shown', { n: trial.studies.length })}
          </p>
          {trial.studies.length > 0 && (
            <Table
              label={t('trial.table')}
              columns={columns}
              rows={trial.studies}
              rowKey={(study) => study.workitem_id}
              old={stale}
            />
          )}
        </>
      )}
    </section>
  );
}

function useColumns(words: Words): Column<MovedStudy>[] {
  const { t, language } = useLanguage();
  const now = useMinute();
  return [
    {
      key: 'exam',
      heading: t('trial.column.exam'),
      cell: (study) => (
        <>
          <span className="trial-exam">
            <ModalityMark lane={study.modalities.includes('ECG') ? 'ecg' : 'imaging'} modalities={study.modalities} />
            <span>{study.description ?? study.accession_number ?? t('app.none')}</span>
          </span>
          <div className="quiet small">
            {[siteWord(language, study.site_code, words), study.accession_number, formatShortTime(study.queued_at, now)]
              .filter(Boolean)
              .join(' · ')}
          </div>
        </>
      ),
    },
    {
      key: 'before',
      heading: t('trial.column.before'),
      cell: (study) => <Place study={study} side="before" words={words} />,
    },
    {
      key: 'after',
      heading: t('trial.column.after'),
      cell: (study) => <Place study={study} side="after" words={words} />,
    },
  ];
}

/** Where one exam goes; what differs from the other side stands out. */
function Place({ study, side, words }: { study: MovedStudy; side: 'before' | 'after'; words: Words }) {
  const { t, language } = useLanguage();
  const [here, there] = side === 'before' ? [study.before, study.after] : [study.after, study.before];
  const facts = [
    ['lane', t(`lane.${here.lane}`)],
    ['group', here.group === null ? t('trial.noGroup') : groupWord(language, here.group, words)],
    ['priority', t(`priority.${here.priority}`)],
    ['clock', t(`clock.${here.clock}`)],
  ] as const;
  return (
    <>
      <span className="trial-place">
        {facts.map(([name, word]) =>
          here[name] === there[name] ? (
            <span key={name} className="quiet">
              {word}
            </span>
          ) : side === 'after' ? (
            <ins key={name}>{word}</ins>
          ) : (
            <del key={name}>{word}</del>
          ),
        )}
      </span>
      <div className="quiet small">
        {here.rule === null ? t('trial.noRule') : t('trial.byRule', { rule: here.rule })}
      </div>
    </>
  );
}
