import { PlusOutlined } from '@ant-design/icons';
import { App, Button, type RefSelectProps, Select } from 'antd';
import { useRef, useState } from 'react';

import { useDay } from './today';
import { Chip } from '../design/Chip';
import { FormDialog } from '../design/FormDialog';
import { useShortcuts } from '../design/shortcuts';
import type { Column } from '../design/Table';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { DaysFields, Field, TextField, unordered } from '../design/Field';
import { DatedState } from './DatedState';
import { type Agreement, type AgreementBody, useAgreementAct, useAgreements, useParties } from './queries';
import { Register } from './Register';

const SERVICES = ['priors'] as const;

/** Agreements between organisations, those that hold and those that did. */
export function ServicesTab() {
  const { t } = useLanguage();
  const agreements = useAgreements();
  const [adding, setAdding] = useState(false);
  const [ending, setEnding] = useState<Agreement | null>(null);
  const { mutateAsync } = useAgreementAct();
  const columns = useColumns(setEnding);
  useShortcuts({ n: () => setAdding(true) });
  return (
    <>
      <Register
        label={t('agreements.table')}
        query={agreements}
        columns={columns}
        empty={{ title: t('agreements.empty.title'), text: t('agreements.empty.text') }}
        ending={ending}
        end={{
          title: t('agreements.end'),
          text: t('agreements.endExplain'),
          done: t('agreements.ended'),
          act: ({ id }) => mutateAsync({ kind: 'end', id }),
        }}
        onEnded={() => setEnding(null)}
      >
        <span>{t('agreements.intro')}</span>
        <Button type="primary" icon={<PlusOutlined />} className="agreements-add" onClick={() => setAdding(true)}>
          {t('agreements.add')}
        </Button>
      </Register>
      {adding && <AgreementDialog onClose={() => setAdding(false)} />}
    </>
  );
}

function useColumns(onEnd: (agreement: Agreement) => void): Column<Agreement>[] {
  const { t, language } = useLanguage();
  const today = useDay();
  return [
    {
      key: 'service',
      heading: t('agreements.column.service'),
      width: 150,
      cell: (one) => <span className="strong">{t(`agreements.service.${one.service}`)}</span>,
    },
    {
      key: 'provider',
      heading: t('agreements.column.provider'),
      cell: (one) => siteName(language, one.provider),
    },
    {
      key: 'client',
      heading: t('agreements.column.client'),
      cell: (one) =>
        one.client.code === one.provider.code ? (
          <span className="quiet">{t('agreements.self')}</span>
        ) : (
          siteName(language, one.client)
        ),
    },
    {
      key: 'dates',
      heading: t('agreements.column.dates'),
      width: 210,
      cell: (one) => t('agreements.dates', { from: one.valid_from, until: one.valid_until ?? t('agreements.open') }),
    },
    {
      key: 'document',
      heading: t('agreements.column.document'),
      cell: (one) => (
        <>
          {one.document}
          <div className="quiet small">
            {[one.made_by, formatDateTime(one.made_at)].filter((part) => part !== null).join(' · ')}
          </div>
        </>
      ),
    },
    {
      key: 'state',
      heading: t('agreements.column.state'),
      width: 120,
      cell: (one) => <State one={one} today={today} />,
    },
    {
      key: 'action',
      heading: t('agreements.column.action'),
      width: 90,
      cell: (one) =>
        one.ended_at === null && (one.valid_until === null || one.valid_until >= today) ? (
          <Button size="small" className="agreement-end" onClick={() => onEnd(one)}>
            {t('agreements.end')}
          </Button>
        ) : null,
    },
  ];
}

function State({ one, today }: { one: Agreement; today: string }) {
  const { t } = useLanguage();
  if (one.ended_at !== null) {
    return (
      <>
        <Chip tone="red">{t('agreements.ended')}</Chip>
        <div className="quiet small">{formatDateTime(one.ended_at)}</div>
      </>
    );
  }
  return <DatedState {...one} today={today} />;
}

function AgreementDialog({ onClose }: { onClose: () => void }) {
  const { t, language } = useLanguage();
  const { message } = App.useApp();
  const parties = useParties();
  const { mutateAsync } = useAgreementAct();
  const today = useDay();
  const first = useRef<RefSelectProps>(null);
  const [body, setBody] = useState<AgreementBody>({
    service: SERVICES[0],
    provider: '',
    client: '',
    valid_from: today,
    valid_until: null,
    document: '',
  });
  const [tried, setTried] = useState(false);
  const put = (part: Partial<AgreementBody>): void => setBody({ ...body, ...part });
  const missing = body.provider === '' || body.client === '' || body.valid_from === '' || body.document.trim() === '';
  const until = body.valid_until ?? null;
  const ready = (): boolean => {
    setTried(true);
    return !missing && !unordered({ from: body.valid_from, until: until ?? '' });
  };
  const save = async (): Promise<void> => {
    await mutateAsync({ kind: 'make', body: { ...body, document: body.document.trim() } });
    void message.success(t('agreements.made'));
  };
  const options = (parties.data ?? []).map((one) => ({ value: one.code, label: siteName(language, one) }));
  return (
    <FormDialog
      width={620}
      title={t('agreements.add')}
      ok={t('app.save')}
      ready={ready}
      onSave={save}
      onClose={onClose}
      onOpened={() => first.current?.focus()}
      complaint={tried && missing && t('agreements.form.missing')}
    >
      <Field label={t('agreements.form.service')} wide>
        {(id) => (
          <Select
            id={id}
            value={body.service}
            options={SERVICES.map((value) => ({ value, label: t(`agreements.service.${value}`) }))}
            onChange={(service) => put({ service })}
          />
        )}
      </Field>
      <Field label={t('agreements.form.provider')}>
        {(id) => (
          <Select
            id={id}
            ref={first}
            showSearch={{ optionFilterProp: 'label' }}
            value={body.provider || null}
            options={options}
            onChange={(provider) => put({ provider })}
          />
        )}
      </Field>
      <Field label={t('agreements.form.client')}>
        {(id) => (
          <Select
            id={id}
            showSearch={{ optionFilterProp: 'label' }}
            value={body.client || null}
            options={options}
            onChange={(client) => put({ client })}
          />
        )}
      </Field>
      <p className="quiet small field-wide">{t('agreements.form.hint')}</p>
      <DaysFields
        hint={t('agreements.form.untilHint')}
        days={{ from: body.valid_from, until: until ?? '' }}
        onChange={(days) => put({ valid_from: days.from, valid_until: days.until || null })}
      />
      <TextField
        label={t('agreements.form.document')}
        wide
        longest={500}
        value={body.document}
        onChange={(document) => put({ document })}
      />
    </FormDialog>
  );
}
