import { App, Button, InputNumber, Skeleton } from 'antd';
import { useState } from 'react';

import type { CriticalClocks } from '../api/types';
import { ProblemNotice } from '../design/Notice';
import { useLanguage } from '../i18n/language';
import { useSession } from '../session/session';
import { useClocks, useSetClocks } from './queries';

const FIELDS = ['second_contact', 'duty_head', 'director', 'action'] as const;
const LONGEST = { second_contact: 60, duty_head: 60, director: 60, action: 240 } as const;

/** After how many minutes the next one is told; the administrator of the consortium sets it. */
export function ClocksTab() {
  const { data, isError, error, refetch } = useClocks();
  if (isError) return <ProblemNotice error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <Skeleton active />;
  return <Clocks kept={data} />;
}

function Clocks({ kept }: { kept: CriticalClocks }) {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const { data: session } = useSession();
  const { mutateAsync, isPending, error } = useSetClocks();
  const [clocks, setClocks] = useState(kept);
  const mayChange = session?.roles.includes('consortium_admin') === true;
  const inOrder = clocks.second_contact < clocks.duty_head && clocks.duty_head < clocks.director;
  const keep = async (): Promise<void> => {
    try {
      await mutateAsync(clocks);
      void message.success(t('phone.clocks.kept'));
    } catch {
      // The notice below says why.
    }
  };
  return (
    <div className="phone-book">
      <p className="quiet">{t('phone.clocks.intro')}</p>
      <dl className="phone-clocks">
        {FIELDS.map((field) => (
          <div key={field}>
            <dt>{t(`phone.clocks.${field}`)}</dt>
            <dd>
              <InputNumber
                aria-label={t(`phone.clocks.${field}`)}
                min={1}
                max={LONGEST[field]}
                value={clocks[field]}
                disabled={!mayChange}
                onChange={(value) => setClocks({ ...clocks, [field]: value ?? kept[field] })}
              />{' '}
              {t('phone.clocks.minutes')}
            </dd>
          </div>
        ))}
      </dl>
      {!inOrder && <p className="danger">{t('phone.clocks.order')}</p>}
      {error !== null && <ProblemNotice error={error} />}
      {mayChange ? (
        <Button type="primary" loading={isPending} disabled={!inOrder} onClick={() => void keep()}>
          {t('app.save')}
        </Button>
      ) : (
        <p className="quiet">{t('phone.clocks.onlyAdmins')}</p>
      )}
    </div>
  );
}
