import { App, Button, Input, Radio, Select } from 'antd';
import { type SubmitEvent, useId, useState } from 'react';

import type { Lane } from '../api/types';
import { ProblemNotice } from '../design/Notice';
import { useLanguage } from '../i18n/language';
import { useRaise, useRulesets } from './queries';

const RULESET_KEY = 'rdc.critical-ruleset';
const NO_RULE = '';

/** Says what is critical: an item of a published list, and in which words the site is told. */
export function RaiseForm({ workitem, lane, onRaised }: { workitem: string; lane: Lane; onRaised: () => void }) {
  const { t, language } = useLanguage();
  const { message } = App.useApp();
  const rulesets = useRulesets();
  const { mutateAsync, isPending } = useRaise(workitem);
  const [chosen, setChosen] = useState(() => localStorage.getItem(`${RULESET_KEY}.${lane}`));
  const [code, setCode] = useState<string | null>(null);
  const [finding, setFinding] = useState('');
  const [refusal, setRefusal] = useState<unknown>(null);
  const findingId = useId();
  const chinese = language === 'zh-CN';
  const ofLane = (rulesets.data ?? []).filter((one) => one.lane === lane);
  const ruleset = ofLane.find((one) => one.id === chosen) ?? ofLane[0];
  const choose = (next: string): void => {
    const rule = ruleset?.rules.find((one) => one.code === next);
    const before = ruleset?.rules.find((one) => one.code === code);
    setCode(next);
    // What was typed stays; the name of the item chosen before goes with its choice. Sites are told in Chinese.
    setFinding((old) => (old.trim() === '' || old === before?.name ? (rule?.name ?? '') : old));
  };
  const raise = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (code === null || finding.trim() === '' || isPending) return;
    setRefusal(null);
    try {
      await mutateAsync({
        finding: finding.trim(),
        ruleset: code === NO_RULE ? null : (ruleset?.id ?? null),
        rule_code: code === NO_RULE ? null : code,
      });
      void message.warning(t('critical.done.raise'));
      onRaised();
    } catch (error) {
      setRefusal(error);
    }
  };
  return (
    <form className="critical-form" onSubmit={(event) => void raise(event)}>
      {rulesets.isError && <ProblemNotice error={rulesets.error} onRetry={() => void rulesets.refetch()} />}
      {ruleset !== undefined && (
        <>
          {ofLane.length > 1 && (
            <Select
              aria-label={t('critical.raise.ruleset')}
              value={ruleset.id}
              options={ofLane.map((one) => ({ value: one.id, label: chinese ? one.title : one.title_en }))}
              onChange={(id) => {
                localStorage.setItem(`${RULESET_KEY}.${lane}`, id);
                setChosen(id);
                setCode(null);
              }}
            />
          )}
          <p className="quiet small">
            {chinese ? ruleset.title : ruleset.title_en} ·{' '}
            {t('critical.raise.source', {
              source: chinese ? ruleset.source : ruleset.source_en,
              version: ruleset.id.split('/')[1] ?? '',
            })}
          </p>
          <Radio.Group
            className="critical-rules"
            aria-label={t('critical.raise.item')}
            value={code}
            options={[
              ...ruleset.rules.map((one) => ({ value: one.code, label: chinese ? one.name : one.name_en })),
              { value: NO_RULE, label: t('critical.raise.other') },
            ]}
            onChange={(event) => choose(String(event.target.value))}
          />
        </>
      )}
      <label htmlFor={findingId} className="critical-label">
        {t('critical.raise.finding')}
      </label>
      <Input.TextArea
        id={findingId}
        rows={2}
        maxLength={2_000}
        value={finding}
        placeholder={t('critical.raise.hint')}
        onChange={(event) => setFinding(event.target.value)}
      />
      {refusal !== null && <ProblemNotice error={refusal} />}
      <Button
        type="primary"
        danger
        htmlType="submit"
        loading={isPending}
        disabled={code === null || finding.trim() === ''}
      >
        {t('critical.raise.send')}
      </Button>
    </form>
  );
}
