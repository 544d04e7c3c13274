import { SearchOutlined } from '@ant-design/icons';
import { Button, Input } from 'antd';
import { useDeferredValue, useState } from 'react';

import type { CaseDetail, KnownPatient, Order } from '../api/types';
import { ProblemNotice } from '../design/Notice';
import { Name } from '../design/PatientName';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { valueWords } from './differences';
import { NewPatientForm } from './NewPatientForm';
import { type Decision, useCandidates } from './queries';

/** Orders and patients of the site that the study may belong to; each can be chosen. */
export function CandidateList({ detail, onDecide }: { detail: CaseDetail; onDecide: (decision: Decision) => void }) {
  const { t } = useLanguage();
  const [typed, setTyped] = useState('');
  const [adding, setAdding] = useState(false);
  const text = useDeferredValue(typed.trim());
  const candidates = useCandidates(detail.id, text);
  const orders = candidates.data?.orders ?? [];
  const patients = (candidates.data?.patients ?? []).filter((one) => one.id !== detail.patient.id);
  return (
    <section className="candidates" aria-label={t('identity.candidates')}>
      <div className="candidates-head">
        <h3>{t('identity.candidates')}</h3>
        <Input
          className="candidates-search"
          aria-label={t('identity.search')}
          placeholder={t('identity.searchHint')}
          prefix={<SearchOutlined />}
          allowClear
          maxLength={100}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
        <Button onClick={() => setAdding(true)}>{t('identity.newPatient')}</Button>
      </div>
      {candidates.isError && <ProblemNotice error={candidates.error} onRetry={() => void candidates.refetch()} />}
      <div className="candidates-columns">
        <div>
          <h4>{t('identity.orders')}</h4>
          {candidates.data !== undefined && orders.length === 0 && <p className="quiet">{t('identity.noOrders')}</p>}
          <ul>
            {orders.map((order) => (
              <OrderLine key={order.id} order={order} onChoose={() => onDecide({ kind: 'link', orderId: order.id })} />
            ))}
          </ul>
        </div>
        <div>
          <h4>{t('identity.patients')}</h4>
          {candidates.data !== undefined && patients.length === 0 && (
            <p className="quiet">{t('identity.noPatients')}</p>
          )}
          <ul>
            {patients.map((patient) => (
              <PatientLine
                key={patient.id}
                patient={patient}
                onChoose={() => onDecide({ kind: 'correct', patientId: patient.id })}
              />
            ))}
          </ul>
        </div>
      </div>
      {adding && (
        <NewPatientForm
          onClose={() => setAdding(false)}
          onMade={(newPatient) => {
            setAdding(false);
            onDecide({ kind: 'correct', newPatient });
          }}
        />
      )}
    </section>
  );
}

function OrderLine({ order, onChoose }: { order: Order; onChoose: () => void }) {
  const { t, language } = useLanguage();
  return (
    <li className="candidate">
      <div>
        <strong>
          <Name name={order.patient_name} latin={order.patient_latin_name} />
        </strong>{' '}
        {order.patient_local_id}
        <div className="quiet small">
          {[
            valueWords(language, 'sex', order.patient_sex),
            order.patient_birth_date,
            order.accession_number,
            order.procedure_description ?? order.steps[0]?.modality,
            formatDateTime(order.requested_at),
          ]
            .filter(Boolean)
            .join(' · ')}
        </div>
      </div>
      <Button size="small" onClick={onChoose}>
        {t('identity.link')}
      </Button>
    </li>
  );
}

function PatientLine({ patient, onChoose }: { patient: KnownPatient; onChoose: () => void }) {
  const { t, language } = useLanguage();
  return (
    <li className="candidate">
      <div>
        <strong>
          <Name name={patient.name} latin={patient.latin_name} />
        </strong>{' '}
        {patient.local_id}
        <div className="quiet small">
          {[
            valueWords(language, 'sex', patient.sex),
            patient.birth_date,
            t('identity.studies', { n: patient.study_count }),
          ]
            .filter(Boolean)
            .join(' · ')}
        </div>
      </div>
      <Button size="small" onClick={onChoose}>
        {t('identity.correct')}
      </Button>
    </li>
  );
}
