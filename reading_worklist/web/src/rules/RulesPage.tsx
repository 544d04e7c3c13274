import { PlusOutlined, QuestionCircleOutlined } from '@ant-design/icons';
import { App, Button, Segmented } from 'antd';
import { useState } from 'react';

import { Chip } from '../design/Chip';
import { Empty, ProblemNotice } from '../design/Notice';
import { ReasonDialog } from '../design/ReasonDialog';
import { ShortcutHelp } from '../design/ShortcutHelp';
import { useShortcuts } from '../design/shortcuts';
import { useLanguage } from '../i18n/language';
import { useSession } from '../session/session';
import { changes, type Draft, keepDraft, keptDraft, moved, sameRules } from './draft';
import {
  EMPTY_RULE,
  type Rule,
  type Ruleset,
  useClocks,
  useGroups,
  useRoutingAct,
  useRulesets,
  useSites,
  useTrial,
} from './queries';
import { RuleDialog } from './RuleDialog';
import { RuleList } from './RuleList';
import { TrialPanel } from './TrialPanel';
import { VersionsPanel } from './VersionsPanel';
import './rules.css';

const SIDES = ['trial', 'versions'] as const;

/** The rules that send exams to people: changed in a draft, tried on the past, then published with a reason. */
export function RulesPage() {
  const { t } = useLanguage();
  const rulesets = useRulesets();
  const words = useWords();
  const { data: session } = useSession();
  if (rulesets.isError) {
    return (
      <div className="page">
        <div className="page-head">
          <h1>{t('rules.title')}</h1>
        </div>
        <div className="page-problem">
          <ProblemNotice
            heading={t('versions.failed')}
            error={rulesets.error}
            onRetry={() => void rulesets.refetch()}
          />
        </div>
      </div>
    );
  }
  // A rule that says codes where it will say names would be read wrongly for a moment.
  if (rulesets.data === undefined || session === undefined || session === null || words.pending) {
    return (
      <div className="page" aria-busy="true">
        <div className="page-head">
          <h1>{t('rules.title')}</h1>
        </div>
      </div>
    );
  }
  return <Desk versions={rulesets.data} organisation={session.organisation.code} />;
}

function Desk({ versions, organisation }: { versions: readonly Ruleset[]; organisation: string }) {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const inUse = versions.find((one) => one.state === 'ON') ?? null;
  const standing: Draft = { rules: inUse?.rules ?? [], basedOn: inUse?.version ?? null };
  const [kept, setKept] = useState(() => keptDraft(organisation));
  const [side, setSide] = useState<(typeof SIDES)[number]>('trial');
  const [editing, setEditing] = useState<number | null>(null);
  const [asking, setAsking] = useState<'publish' | 'switch-off' | null>(null);
  const [helping, setHelping] = useState(false);
  const [days, setDays] = useState(30);
  const words = useWords();
  const trial = useTrial();
  const { mutateAsync } = useRoutingAct();
  const draft = kept ?? standing;
  const { rules } = draft;
  const found = changes(standing.rules, rules);
  const dirty = !sameRules(standing.rules, rules);
  const tried = trial.data !== undefined && sameRules(trial.variables.rules, rules);

  const put = (next: Rule[]): void => {
    const made = sameRules(next, standing.rules) ? null : { rules: next, basedOn: draft.basedOn };
    setKept(made);
    keepDraft(organisation, made);
  };
  const take = (version: Ruleset): void => {
    const made = { rules: version.rules, basedOn: standing.basedOn };
    setKept(made);
    keepDraft(organisation, made);
    setSide('trial');
    void message.info(t('versions.taken', { n: version.version }));
  };
  const discard = (): void => {
    setKept(null);
    keepDraft(organisation, null);
  };
  const tryThem = (): void => {
    setSide('trial');
    trial.mutate({ rules, days });
  };
  useShortcuts({
    n: () => setEditing(rules.length),
    t: tryThem,
    '?': () => setHelping(true),
  });
  const removed = found.filter((one) => one.kind === 'removed').map((one) => one.name);
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('rules.title')}</h1>
        {inUse === null ? (
          <Chip tone="slate" hollow>
            {t('rules.none')}
          </Chip>
        ) : (
          <Chip tone="green">{t('rules.published', { n: inUse.version })}</Chip>
        )}
        {dirty && <Chip tone="amber">{t('rules.draft')}</Chip>}
        <span className="page-space" />
        <Button
          type="text"
          icon={<QuestionCircleOutlined />}
          aria-label={t('keys.title')}
          onClick={() => setHelping(true)}
        />
        {dirty && <Button onClick={discard}>{t('rules.discard')}</Button>}
        {!dirty && inUse !== null && <Button onClick={() => setAsking('switch-off')}>{t('rules.switchOff')}</Button>}
        <Button icon={<PlusOutlined />} className="rules-add" onClick={() => setEditing(rules.length)}>
          {t('rules.add')}
        </Button>
        <Button type="primary" disabled={!dirty} className="rules-publish" onClick={() => setAsking('publish')}>
          {t('rules.publish')}
        </Button>
      </div>
      <div className="rules-desk">
        <div className="rules-main">
          <p className="rules-hint">{t('rules.intro')}</p>
          {rules.length === 0 ? (
            <Empty title={t('rules.empty.title')} text={t('rules.empty.text')} />
          ) : (
            <RuleList
              rules={rules}
              words={words}
              changed={new Map(found.map((one) => [one.name, one.kind]))}
              applied={tried ? trial.data.by_rule : null}
              onEdit={setEditing}
              onMove={(at, by) => put(moved(rules, at, by))}
              onToggle={(at) =>
                put(rules.map((one, place) => (place === at ? { ...one, enabled: !one.enabled } : one)))
              }
              onRemove={(at) => put(rules.filter((_, place) => place !== at))}
            />
          )}
          {removed.length > 0 && (
            <p className="rules-hint danger">
              {t('rules.removedList', { names: removed.join(t('app.listSeparator')) })}
            </p>
          )}
        </div>
        <div className="rules-side">
          <Segmented
            block
            value={side}
            options={SIDES.map((one) => ({ value: one, label: t(`${one}.title`) }))}
            onChange={setSide}
          />
          {side === 'trial' ? (
            <TrialPanel
              trial={trial.data ?? null}
              days={trial.variables?.days ?? days}
              chosen={days}
              stale={trial.data !== undefined && !tried}
              busy={trial.isPending}
              error={trial.error}
              words={words}
              onChoose={setDays}
              onTry={tryThem}
            />
          ) : (
            <VersionsPanel versions={versions} onTake={take} />
          )}
        </div>
      </div>
      {editing !== null && (
        <RuleDialog
          rule={rules[editing] ?? EMPTY_RULE}
          words={words}
          taken={rules.filter((_, at) => at !== editing).map((one) => one.name)}
          onDone={(rule) => {
            put(editing < rules.length ? rules.map((one, at) => (at === editing ? rule : one)) : [...rules, rule]);
            setEditing(null);
          }}
          onClose={() => setEditing(null)}
        />
      )}
      {asking === 'publish' && (
        <ReasonDialog
          title={t('rules.publishTitle', { n: (versions[0]?.version ?? 0) + 1 })}
          confirm={t('rules.publish')}
          onConfirm={async (reason) => {
            await mutateAsync({ kind: 'publish', rules, reason, basedOn: draft.basedOn });
            discard();
            void message.success(t('rules.publishDone'));
          }}
          onClose={() => setAsking(null)}
        >
          <p>{t('rules.publishExplain')}</p>
          <ul className="versions-changes">
            {found.map((one) => (
              <li key={`${one.kind} ${one.name}`}>
                <span className={`versions-${one.kind}`}>{t(`rules.change.${one.kind}`)}</span> {one.name}
              </li>
            ))}
          </ul>
          {!tried && <p className="danger">{t('rules.publishUntried')}</p>}
        </ReasonDialog>
      )}
      {asking === 'switch-off' && (
        <ReasonDialog
          title={t('rules.switchOff')}
          confirm={t('rules.switchOff')}
          danger
          onConfirm={() => mutateAsync({ kind: 'switch-off' })}
          onClose={() => setAsking(null)}
        >
          <p>{t('rules.switchOffExplain')}</p>
        </ReasonDialog>
      )}
      <ShortcutHelp
        open={helping}
        lines={[
          [['↑', '↓'], 'rules.list'],
          [['Alt+↑', 'Alt+↓'], 'rules.keyMove'],
          [['Enter'], 'rules.edit'],
          [['Space'], 'rules.keyToggle'],
          [['Del'], 'rules.remove'],
          [['n'], 'rules.add'],
          [['t'], 'rules.try'],
        ]}
        onClose={() => setHelping(false)}
      />
    </div>
  );
}

/** What rules name: sites, groups, due times. */
function useWords() {
  const sites = useSites();
  const groups = useGroups();
  const clocks = useClocks(null);
  return {
    sites: sites.data ?? [],
    groups: groups.data ?? [],
    clocks: clocks.data ?? [],
    /** Whether some are still on their way; what cannot be had is named by its code. */
    pending: sites.isPending || groups.isPending || clocks.isPending,
  };
}
