import { App, Button, Input, Modal } from 'antd';
import { useId, useState } from 'react';

import type { Expert } from '../api/types';
import { Chip } from '../design/Chip';
import { ProblemNotice } from '../design/Notice';
import { QueryTable } from '../design/QueryTable';
import type { Column } from '../design/Table';
import { useLanguage } from '../i18n/language';
import { useExperts, useSetLicence } from './queries';

/** Everybody in the role of an expert, with the licence that says whether he may be asked. */
export function ExpertsTab() {
  const { t } = useLanguage();
  const experts = useExperts(true);
  const [changing, setChanging] = useState<Expert | null>(null);
  const columns = useColumns(setChanging);
  return (
    <>
      <p className="consult-intro">{t('consult.rule')}</p>
      <QueryTable
        query={experts}
        empty={{ title: t('consult.noExperts'), text: t('consult.noExpertsText') }}
        label={t('consult.tab.experts')}
        columns={columns}
        rowKey={(one) => one.person.id}
      />
      {changing !== null && <LicenceDialog expert={changing} onClose={() => setChanging(null)} />}
    </>
  );
}

function useColumns(onChange: (expert: Expert) => void): Column<Expert>[] {
  const { t, language } = useLanguage();
  return [
    {
      key: 'name',
      heading: t('consult.expert'),
      cell: (one) => (
        <>
          <span className="strong">{one.person.display_name}</span>
          <div className="quiet small">
            {language === 'en' && one.organisation_en !== '' ? one.organisation_en : one.organisation}
          </div>
        </>
      ),
    },
    { key: 'title', heading: t('consult.licence.title'), cell: (one) => one.title ?? t('app.none') },
    { key: 'specialty', heading: t('consult.licence.specialty'), cell: (one) => one.specialty ?? t('app.none') },
    {
      key: 'since',
      heading: t('consult.licence.since'),
      width: 130,
      cell: (one) => one.practising_since ?? t('app.none'),
    },
    {
      key: 'may',
      heading: t('consult.licence.may'),
      width: 210,
      cell: (one) =>
        one.may_be_asked ? (
          <Chip tone="green">{t('consult.mayBeAsked')}</Chip>
        ) : (
          <Chip tone="amber">{t(one.practising_since === null ? 'consult.noLicence' : 'consult.tooYoung')}</Chip>
        ),
    },
    {
      key: 'change',
      heading: '',
      width: 120,
      cell: (one) => (
        <Button size="small" onClick={() => onChange(one)}>
          {t('consult.licence.enter')}
        </Button>
      ),
    },
  ];
}

function LicenceDialog({ expert, onClose }: { expert: Expert; onClose: () => void }) {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const { mutateAsync, isPending, error } = useSetLicence(expert.person.id);
  const [licence, setLicence] = useState({
    title: expert.title ?? '',
    specialty: expert.specialty ?? '',
    licence_number: '',
    practising_since: expert.practising_since ?? '',
  });
  const ids = { title: useId(), specialty: useId(), number: useId(), since: useId() };
  const complete = Object.values(licence).every((text) => text.trim() !== '');
  const keep = async (): Promise<void> => {
    try {
      await mutateAsync(licence);
      void message.success(t('consult.licence.kept'));
      onClose();
    } catch {
      // The notice below says why.
    }
  };
  return (
    <Modal
      open
      width={440}
      title={`${t('consult.licence.heading')} · ${expert.person.display_name}`}
      okText={t('app.save')}
      okButtonProps={{ disabled: !complete }}
      cancelText={t('app.cancel')}
      confirmLoading={isPending}
      mask={{ closable: false }}
      onOk={() => void keep()}
      onCancel={onClose}
    >
      <div className="phone-form">
        <label htmlFor={ids.title}>{t('consult.licence.title')}</label>
        <Input
          id={ids.title}
          maxLength={200}
          value={licence.title}
          onChange={(event) => setLicence({ ...licence, title: event.target.value })}
        />
        <label htmlFor={ids.specialty}>{t('consult.licence.specialty')}</label>
        <Input
          id={ids.specialty}
          maxLength={200}
          value={licence.specialty}
          onChange={(event) => setLicence({ ...licence, specialty: event.target.value })}
        />
        <label htmlFor={ids.number}>{t('consult.licence.number')}</label>
        <Input
          id={ids.number}
          maxLength={200}
          value={licence.licence_number}
          onChange={(event) => setLicence({ ...licence, licence_number: event.target.value })}
        />
        <label htmlFor={ids.since}>{t('consult.licence.since')}</label>
        <Input
          id={ids.since}
          type="date"
          value={licence.practising_since}
          onChange={(event) => setLicence({ ...licence, practising_since: event.target.value })}
        />
        {error !== null && <ProblemNotice error={error} />}
      </div>
    </Modal>
  );
}
