import { App, Button, InputNumber, Modal } from 'antd';
import { useId, useState } from 'react';

import type { RetentionRule } from '../api/types';
import { Empty, ProblemNotice } from '../design/Notice';
import { type Column, Table } from '../design/Table';
import { useLanguage } from '../i18n/language';
import { siteOf } from '../i18n/siteName';
import { useSession } from '../session/session';
import { useKeepingAct, useRules } from './queries';
import { bySite, decidesKeeping, LONGEST_YEARS, type SiteRules } from './rules';
import { Failed } from './UsageTab';

/** For how long each site keeps, by kind of visit; the national minimum is the least. */
export function RulesTab() {
  const { t } = useLanguage();
  const { data: session } = useSession();
  const rules = useRules();
  const [changing, setChanging] = useState<RetentionRule | null>(null);
  const mayChange = decidesKeeping(session?.roles ?? []);
  const columns = useColumns(mayChange ? setChanging : null);
  const sites = rules.data === undefined ? null : bySite(rules.data);
  return (
    <>
      <p className="page-intro">
        <span>{t('rule.intro')}</span>
        {!mayChange && <span>{t('rule.onlyAdmins')}</span>}
      </p>
      {rules.isError && <Failed error={rules.error} onRetry={() => void rules.refetch()} />}
      {sites?.length === 0 ? (
        <div className="page-empty">
          <Empty title={t('rule.empty.title')} text={t('rule.empty.text')} />
        </div>
      ) : (
        <Table
          label={t('rule.table')}
          columns={columns}
          rows={sites ?? (rules.isError ? [] : null)}
          rowKey={(site) => site.site_id}
        />
      )}
      {changing !== null && <RuleDialog rule={changing} onClose={() => setChanging(null)} />}
    </>
  );
}

function useColumns(onChange: ((rule: RetentionRule) => void) | null): Column<SiteRules>[] {
  const { t, language } = useLanguage();
  const years = (kind: RetentionRule['visit_kind']): Column<SiteRules> => ({
    key: kind,
    heading: t(`rule.kind.${kind}`),
    width: '34%',
    cell: (site) => <Years rule={site.rules[kind]} onChange={onChange} />,
  });
  return [
    {
      key: 'site',
      heading: t('keeping.column.site'),
      cell: (site) => (
        <>
          <span className="strong">{siteOf(language, site)}</span>
          <div className="quiet small">{site.site_code}</div>
        </>
      ),
    },
    years('outpatient'),
    years('inpatient'),
  ];
}

function Years({
  rule,
  onChange,
}: {
  rule: RetentionRule | undefined;
  onChange: ((rule: RetentionRule) => void) | null;
}) {
  const { t, language } = useLanguage();
  if (rule === undefined) return <span className="quiet">{t('app.none')}</span>;
  const kind = t(`rule.kind.${rule.visit_kind}`);
  return (
    <span className="rule">
      <span>
        {t('rule.years', { n: rule.years })}
        <span className="quiet small">
          {' '}
          {rule.years > rule.minimum ? t('rule.longer', { n: rule.minimum }) : t('rule.minimum')}
        </span>
      </span>
      {onChange !== null && (
        <Button
          size="small"
          className="rule-change"
          aria-label={t('rule.changeOf', { site: siteOf(language, rule), kind })}
          onClick={() => onChange(rule)}
        >
          {t('rule.change')}
        </Button>
      )}
    </span>
  );
}

/** Asks for the years; what the server refuses is shown beside them. */
function RuleDialog({ rule, onClose }: { rule: RetentionRule; onClose: () => void }) {
  const { t, language } = useLanguage();
  const { message } = App.useApp();
  const { mutateAsync, isPending } = useKeepingAct();
  const [years, setYears] = useState<number | null>(rule.years);
  const [refusal, setRefusal] = useState<unknown>(null);
  const yearsId = useId();
  const tooShort = years === null || years < rule.minimum;
  const save = async (): Promise<void> => {
    if (tooShort || isPending) return;
    setRefusal(null);
    try {
      await mutateAsync({ kind: 'rule', siteId: rule.site_id, visitKind: rule.visit_kind, years });
      void message.success(t('rule.saved'));
      onClose();
    } catch (error) {
      setRefusal(error);
    }
  };
  return (
    <Modal
      open
      width={480}
      title={`${siteOf(language, rule)} · ${t(`rule.kind.${rule.visit_kind}`)}`}
      okText={t('app.save')}
      okButtonProps={{ disabled: tooShort }}
      cancelText={t('app.cancel')}
      confirmLoading={isPending}
      mask={{ closable: false }}
      onOk={() => void save()}
      onCancel={onClose}
    >
      <label htmlFor={yearsId} className="reason-label">
        {t('rule.label')}
      </label>
      <InputNumber
        id={yearsId}
        className="rule-years"
        autoFocus
        min={0}
        max={LONGEST_YEARS}
        precision={0}
        value={years}
        status={tooShort ? 'error' : ''}
        suffix={t('rule.unit')}
        onChange={setYears}
        onPressEnter={() => void save()}
      />
      <div className="reason-message" role="alert">
        {tooShort && t('rule.tooShort', { n: rule.minimum })}
      </div>
      {!tooShort && <p>{t(years < rule.years ? 'rule.explainShorter' : 'rule.explain')}</p>}
      {refusal !== null && <ProblemNotice error={refusal} />}
    </Modal>
  );
}
