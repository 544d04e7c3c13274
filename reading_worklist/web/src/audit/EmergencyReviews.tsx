import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Button } from 'antd';
import { useState } from 'react';

import { answer, api } from '../api/client';
import type { components } from '../api/schema';
import { Chip } from '../design/Chip';
import { ProblemNotice } from '../design/Notice';
import { ReasonDialog } from '../design/ReasonDialog';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';

type Schemas = components['schemas'];
type Access = Schemas['EmergencyView'];
type Verdict = NonNullable<Access['review']>['verdict'];

const KEY = ['emergency-accesses'];
const WATCH_INTERVAL = 30_000;
const VERDICTS = ['justified', 'unjustified'] as const satisfies readonly Verdict[];

interface Judging {
  access: Access;
  verdict: Verdict;
}

/** What readers have opened in an emergency without an agreement: each waits for the auditor's word. */
export function EmergencyReviews() {
  const { t, language } = useLanguage();
  const client = useQueryClient();
  const found = useQuery({
    queryKey: KEY,
    queryFn: () => answer(api.GET('/api/emergency-accesses')),
    refetchInterval: WATCH_INTERVAL,
  });
  const review = useMutation({
    mutationFn: ({ access, verdict, note }: Judging & { note: string }) =>
      answer(
        api.POST('/api/emergency-accesses/{access_id}/review', {
          params: { path: { access_id: access.id } },
          body: { verdict, note },
        }),
      ),
    onSuccess: (all) => client.setQueryData(KEY, all),
  });
  const [judging, setJudging] = useState<Judging | null>(null);
  if (found.isError) return <ProblemNotice error={found.error} onRetry={() => void found.refetch()} />;
  if (found.data === undefined || found.data.items.length === 0) return null;
  const { items, waiting } = found.data;
  const chinese = language === 'zh-CN';
  return (
    <section className="emergency-reviews" aria-label={t('audit.emergency.title')}>
      <h2>
        {t('audit.emergency.title')}{' '}
        {waiting > 0 && <Chip tone="red">{t('audit.emergency.waiting', { n: waiting })}</Chip>}
      </h2>
      <ul>
        {items.map((access) => (
          <li key={access.id}>
            <span>
              <span className="strong">{access.person}</span>{' '}
              <span className="quiet">
                {chinese ? access.organisation : access.organisation_en} · {formatDateTime(access.at)} ·{' '}
                {chinese ? access.site : access.site_en} · {t('audit.emergency.opened', { n: access.opened })}
              </span>
              <br />
              {access.note}
            </span>
            {access.review === null ? (
              <span className="emergency-acts">
                {VERDICTS.map((verdict) => (
                  <Button
                    key={verdict}
                    size="small"
                    danger={verdict === 'unjustified'}
                    onClick={() => setJudging({ access, verdict })}
                  >
                    {t(`audit.emergency.${verdict}`)}
                  </Button>
                ))}
              </span>
            ) : (
              <span className="emergency-acts">
                <Chip tone={access.review.verdict === 'justified' ? 'green' : 'red'}>
                  {t(`audit.emergency.${access.review.verdict}`)}
                </Chip>
                <span className="quiet small">
                  {access.review.by} · {access.review.note}
                </span>
              </span>
            )}
          </li>
        ))}
      </ul>
      {judging !== null && (
        <ReasonDialog
          title={t(`audit.emergency.${judging.verdict}`)}
          confirm={t('audit.emergency.decide')}
          danger={judging.verdict === 'unjustified'}
          onConfirm={(note) => review.mutateAsync({ ...judging, note })}
          onClose={() => setJudging(null)}
        >
          <p>
            {judging.access.person} · {judging.access.note}
          </p>
        </ReasonDialog>
      )}
    </section>
  );
}
