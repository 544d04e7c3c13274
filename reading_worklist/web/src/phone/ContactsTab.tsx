import { DeleteOutlined, PlusOutlined } from '@ant-design/icons';
import { App, Button, Input, Select, Skeleton } from 'antd';
import { useState } from 'react';

import type { CriticalContact } from '../api/types';
import { Empty, ProblemNotice } from '../design/Notice';
import { useSites } from '../design/sites';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { useSession } from '../session/session';
import { STEPS, stepOf } from '../critical/words';
import { useContacts, useSetContacts } from './queries';

const DIRECTOR = 3;

/** Whom to ring at each site: the centre keeps all lists, a site its own but for the centre's director. */
export function ContactsTab() {
  const { t, language } = useLanguage();
  const { data: session } = useSession();
  const own = session?.roles.includes('site_doctor') === true;
  const sites = useSites(!own);
  const [chosen, setChosen] = useState<string | null>(null);
  const siteId = own ? session.organisation.id : (chosen ?? sites.data?.[0]?.id ?? null);
  const contacts = useContacts(siteId);
  return (
    <div className="phone-book">
      <p className="quiet">{t(own ? 'phone.book.ownIntro' : 'phone.book.intro')}</p>
      {!own && (
        <Select
          className="phone-site"
          aria-label={t('critical.site')}
          value={siteId}
          options={(sites.data ?? []).map((one) => ({ value: one.id, label: siteName(language, one) }))}
          onChange={setChosen}
        />
      )}
      {sites.isError && <ProblemNotice error={sites.error} onRetry={() => void sites.refetch()} />}
      {contacts.isError && <ProblemNotice error={contacts.error} onRetry={() => void contacts.refetch()} />}
      {contacts.isPending && siteId !== null && <Skeleton active />}
      {siteId !== null && contacts.data !== undefined && (
        <Book key={siteId} siteId={siteId} kept={contacts.data} own={own} />
      )}
    </div>
  );
}

interface Row extends CriticalContact {
  key: number;
}

function Book({ siteId, kept, own }: { siteId: string; kept: readonly CriticalContact[]; own: boolean }) {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const { mutateAsync, isPending, error } = useSetContacts(siteId);
  const [rows, setRows] = useState<readonly Row[]>(() => kept.map((one, key) => ({ ...one, key })));
  const [next, setNext] = useState(kept.length);
  const change = (key: number, part: Partial<CriticalContact>): void =>
    setRows((old) => old.map((one) => (one.key === key ? { ...one, ...part } : one)));
  const sent = rows.filter((one) => !own || one.step !== DIRECTOR);
  const complete = sent.every((one) => [one.name, one.role, one.phone].every((text) => text.trim() !== ''));
  const keep = async (): Promise<void> => {
    try {
      await mutateAsync(sent.map(({ step, name, role, phone }) => ({ step: stepOf(step), name, role, phone })));
      void message.success(t('phone.book.kept'));
    } catch {
      // The notice below says why.
    }
  };
  return (
    <div className="phone-list">
      {rows.length === 0 && <Empty title={t('phone.book.empty.title')} text={t('phone.book.empty.text')} />}
      {STEPS.map((step) => {
        const fixed = own && step === DIRECTOR;
        return (
          <fieldset key={step} disabled={fixed}>
            <legend>
              {t(`critical.step.${step}`)} <span className="quiet small">{t(`phone.book.step.${step}`)}</span>
            </legend>
            {rows
              .filter((one) => one.step === step)
              .map((one) => (
                <div key={one.key} className="phone-row">
                  <Input
                    aria-label={t('phone.book.name')}
                    placeholder={t('phone.book.name')}
                    maxLength={200}
                    value={one.name}
                    disabled={fixed}
                    onChange={(event) => change(one.key, { name: event.target.value })}
                  />
                  <Input
                    aria-label={t('phone.book.role')}
                    placeholder={t('phone.book.role')}
                    maxLength={200}
                    value={one.role}
                    disabled={fixed}
                    onChange={(event) => change(one.key, { role: event.target.value })}
                  />
                  <Input
                    aria-label={t('phone.book.phone')}
                    placeholder={t('phone.book.phone')}
                    maxLength={200}
                    value={one.phone}
                    disabled={fixed}
                    onChange={(event) => change(one.key, { phone: event.target.value })}
                  />
                  {!fixed && (
                    <Button
                      type="text"
                      icon={<DeleteOutlined />}
                      aria-label={t('phone.book.remove', { name: one.name })}
                      onClick={() => setRows((old) => old.filter((other) => other.key !== one.key))}
                    />
                  )}
                </div>
              ))}
            {!fixed && (
              <Button
                size="small"
                icon={<PlusOutlined />}
                onClick={() => {
                  setRows((old) => [...old, { key: next, step, name: '', role: '', phone: '' }]);
                  setNext(next + 1);
                }}
              >
                {t('phone.book.add')}
              </Button>
            )}
          </fieldset>
        );
      })}
      {error !== null && <ProblemNotice error={error} />}
      <Button type="primary" loading={isPending} disabled={!complete} onClick={() => void keep()}>
        {t('app.save')}
      </Button>
    </div>
  );
}
