import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Button } from 'antd';
import { useEffect, useRef, useState } from 'react';
import { Link } from 'react-router';

import { answer, api } from '../api/client';
import type { components } from '../api/schema';
import { Chip } from '../design/Chip';
import { ProblemNotice } from '../design/Notice';
import { ReasonDialog } from '../design/ReasonDialog';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';

type Schemas = components['schemas'];
type Access = Schemas['EmergencyView'];
type Review = NonNullable<Access['review']>;
type Verdict = Review['verdict'];

const KEY = ['emergency-accesses'];
const WATCH_INTERVAL = 30_000;
const VERDICTS = ['justified', 'unjustified'] as const satisfies readonly Verdict[];

interface Judging {
  access: Access;
  verdict: Verdict;
}

/** What readers have opened in an emergency without an agreement: each waits for the auditor's word. */
export function EmergencyReviews() {
  const { t } = useLanguage();
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
  const heading = useRef<HTMLHeadingElement>(null);
  const judgedOne = useRef(false);
  useEffect(() => {
    // The button that the focus would go back to is gone with what it judged.
    if (judging !== null || !judgedOne.current) return;
    judgedOne.current = false;
    heading.current?.focus();
  }, [judging]);
  if (found.isError) {
    return (
      <div className="page-problem">
        <ProblemNotice heading={t('audit.emergency.failed')} error={found.error} onRetry={() => void found.refetch()} />
      </div>
    );
  }
  if (found.data === undefined || found.data.items.length === 0) return null;
  const { items, waiting } = found.data;
  const judged = items.filter((access) => access.review !== null);
  return (
    <section className="emergency-reviews" aria-labelledby="emergency-reviews">
      <h2 id="emergency-reviews" ref={heading} tabIndex={-1}>
        {t('audit.emergency.title')}{' '}
        {waiting > 0 && <Chip tone="red">{t('audit.emergency.waiting', { n: waiting })}</Chip>}
      </h2>
      <ul>
        {items.map(
          (access) =>
            access.review === null && (
              <li key={access.id}>
                <What access={access} />
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
              </li>
            ),
        )}
      </ul>
      {judged.length > 0 && (
        <details>
          <summary>{t('audit.emergency.judged', { n: judged.length })}</summary>
          <ul>
            {judged.map((access) => (
              <li key={access.id}>
                <What access={access} />
                {access.review !== null && <Found review={access.review} />}
              </li>
            ))}
          </ul>
        </details>
      )}
      {judging !== null && (
        <ReasonDialog
          title={t(`audit.emergency.${judging.verdict}`)}
          confirm={t('audit.emergency.decide')}
          danger={judging.verdict === 'unjustified'}
          longest={500}
          onConfirm={async (note) => {
            await review.mutateAsync({ ...judging, note });
            judgedOne.current = true;
          }}
          onClose={() => setJudging(null)}
        >
          <p>{t('audit.emergency.final')}</p>
          <blockquote className="emergency-said">
            {judging.access.note}
            <footer className="quiet small">
              {judging.access.person} · {formatDateTime(judging.access.at)}
            </footer>
          </blockquote>
        </ReasonDialog>
      )}
    </section>
  );
}

/** Who opened how much of what, when, and the reason that was given. */
function What({ access }: { access: Access }) {
  const { t, language } = useLanguage();
  const chinese = language === 'zh-CN';
  return (
    <div className="emergency-what">
      <span className="strong">{access.person}</span>{' '}
      <span className="quiet">
        {[
          chinese ? access.organisation : access.organisation_en,
          formatDateTime(access.at),
          t('audit.emergency.opened', { n: access.opened }),
        ].join(' · ')}
      </span>
      <p>{access.note}</p>
      <Link to={`/ledger/${access.workitem_id}`}>
        {t('audit.emergency.exam', { site: chinese ? access.site : access.site_en })}
      </Link>
    </div>
  );
}

function Found({ review }: { review: Review }) {
  const { t } = useLanguage();
  return (
    <div className="emergency-found">
      <Chip tone={review.verdict === 'justified' ? 'green' : 'red'}>{t(`audit.emergency.${review.verdict}`)}</Chip>{' '}
      <span className="quiet small">
        {review.by} · {formatDateTime(review.at)}
      </span>
      <p>{review.note}</p>
    </div>
  );
}
