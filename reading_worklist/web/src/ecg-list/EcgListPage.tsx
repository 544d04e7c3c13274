import { App, Button, Modal } from 'antd';
import { useState } from 'react';

import type { CriticalRuleset, EcgCriticalList } from '../api/types';
import { useRulesets } from '../critical/queries';
import { Chip } from '../design/Chip';
import { ProblemNotice } from '../design/Notice';
import { useLanguage } from '../i18n/language';
import { useChooseList, useEcgList } from './queries';
import './ecgList.css';

type Province = EcgCriticalList['province'];

interface Choice {
  province: Province;
  ruleset: CriticalRuleset;
  judged: ReadonlySet<string>;
}

/** By which province's list of critical values the consortium's ECGs are judged, beside what the lists differ in. */
export function EcgListPage() {
  const { t } = useLanguage();
  const list = useEcgList();
  const rulesets = useRulesets();
  const failed = list.isError ? list : rulesets.isError ? rulesets : null;
  const choices = list.data === undefined || rulesets.data === undefined ? null : choicesOf(list.data, rulesets.data);
  return (
    <div className="page ecg-list">
      <div className="page-head">
        <h1>{t('ecgList.title')}</h1>
        <span className="page-note">{t('ecgList.intro')}</span>
      </div>
      {failed !== null && (
        <div className="page-problem">
          <ProblemNotice
            heading={t('ecgList.failed')}
            error={failed.error}
            onRetry={() => {
              void list.refetch();
              void rulesets.refetch();
            }}
          />
        </div>
      )}
      {failed === null && <Lists chosen={list.data?.province ?? null} choices={choices} />}
    </div>
  );
}

function choicesOf(list: EcgCriticalList, rulesets: readonly CriticalRuleset[]): Choice[] {
  return list.lists.flatMap(({ province, cites, judged }) => {
    const ruleset = rulesets.find((one) => one.id === cites);
    return ruleset === undefined ? [] : [{ province, ruleset, judged: new Set(judged) }];
  });
}

function Lists({ chosen, choices }: { chosen: Province | null; choices: readonly Choice[] | null }) {
  const { t, language } = useLanguage();
  const { message } = App.useApp();
  const [asked, setAsked] = useState<Choice | null>(null);
  const choose = useChooseList();
  const english = language === 'en';
  const titleOf = ({ ruleset }: Choice): string => (english ? ruleset.title_en : ruleset.title);
  const confirm = async (choice: Choice): Promise<void> => {
    await choose.mutateAsync(choice.province);
    void message.success(t('ecgList.chosen', { list: titleOf(choice) }));
    setAsked(null);
  };
  const codes = choices?.[0]?.ruleset.rules.map((rule) => rule.code) ?? [];
  return (
    <div className="table-scroll">
      <table className="table ecg-list-table" aria-label={t('ecgList.table')} aria-busy={choices === null}>
        <thead>
          <tr>
            <th scope="col" className="ecg-list-code">
              {t('ecgList.code')}
            </th>
            {choices?.map((choice) => (
              <th key={choice.province} scope="col">
                <div className="ecg-list-title">{titleOf(choice)}</div>
                <div className="quiet small">{english ? choice.ruleset.source_en : choice.ruleset.source}</div>
                {choice.province === chosen ? (
                  <Chip tone="green">{t('ecgList.inForce')}</Chip>
                ) : (
                  <Button size="small" onClick={() => setAsked(choice)}>
                    {t('ecgList.choose')}
                  </Button>
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {codes.map((code) => (
            <tr key={code}>
              <th scope="row">{code}</th>
              {choices?.map((choice) => (
                <td key={choice.province} className={choice.province === chosen ? 'ecg-list-now' : undefined}>
                  <Words choice={choice} code={code} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {asked !== null && (
        <Modal
          open
          title={t('ecgList.confirm', { list: titleOf(asked) })}
          okText={t('ecgList.choose')}
          cancelText={t('app.cancel')}
          confirmLoading={choose.isPending}
          onOk={() => void confirm(asked).catch(() => undefined)}
          onCancel={() => {
            choose.reset();
            setAsked(null);
          }}
        >
          <p>{t('ecgList.effect')}</p>
          {choose.isError && <ProblemNotice error={choose.error} />}
        </Modal>
      )}
    </div>
  );
}

/** A rule in its list's words, and whether every ECG is looked at for it or only a reader can say so. */
function Words({ choice, code }: { choice: Choice; code: string }) {
  const { t, language } = useLanguage();
  const rule = choice.ruleset.rules.find((one) => one.code === code);
  if (rule === undefined) return <span className="quiet">{t('app.none')}</span>;
  return (
    <>
      {language === 'en' ? rule.name_en : rule.name}
      <div className="quiet small">{t(choice.judged.has(code) ? 'ecgList.judged' : 'ecgList.reader')}</div>
    </>
  );
}
