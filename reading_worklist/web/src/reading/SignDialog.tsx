import { WarningFilled } from '@ant-design/icons';
import { Input, Modal, Segmented } from 'antd';
import { useId, useRef, useState } from 'react';

import { Problem } from '../api/problem';
import type { CheckFinding, WorkitemDetail } from '../api/types';
import { PatientName, SexAge } from '../design/PatientName';
import { PinForm, type PinFormHandle } from '../design/PinForm';
import { type Language, LANGUAGES } from '../i18n/catalogue';
import { useLanguage } from '../i18n/language';
import { useSession } from '../session/session';
import { checkWords } from './checkWords';
import type { Signature } from './DraftActions';
import type { Reasons } from './queries';
import './writing.css';

const SHORTEST_REASON = 2;
const LONGEST_REASON = 500;
const REASON_MISSING = new Problem({ type: 'urn:rdc:problem:reason-missing', title: 'Reason missing', status: 422 });
const TITLES = {
  submit: 'sign.submitTitle',
  finalise: 'sign.finaliseTitle',
  preliminary: 'issue.preliminaryTitle',
  alone: 'issue.aloneTitle',
} as const;
const TEXTS = {
  submit: 'sign.submitText',
  finalise: 'sign.finaliseText',
  preliminary: 'issue.preliminaryText',
  alone: 'issue.aloneText',
} as const;

interface SignDialogProps {
  kind: Signature | 'finalise';
  item: WorkitemDetail;
  /** What the checks warn of and nobody has explained yet: each needs a reason. */
  /** In which language the report is written; null where that is not known or not asked. */
  written: Language | null;
  warnings: readonly CheckFinding[];
  /** Signs with the PIN, a writer in the language chosen; throws a Problem when the server refuses. */
  onSign: (pin: string, printed: Language, reasons: Reasons) => Promise<void>;
  onClose: () => void;
}

/** Asks for the signing PIN and shows once more what is signed, and as whom. */
export function SignDialog({ kind, item, written, warnings, onSign, onClose }: SignDialogProps) {
  const { t, language } = useLanguage();
  const { data: session } = useSession();
  // Not the page's language: the report goes to the county's own sites, in the words that it has.
  const [printed, setPrinted] = useState<Language>(written ?? 'zh-CN');
  const pin = useRef<PinFormHandle>(null);
  const [reasons, setReasons] = useState<Record<string, string>>({});
  const [asked, setAsked] = useState(false);
  const reasonId = useId();
  const unexplained = warnings.filter(({ key }) => (reasons[key] ?? '').trim().length < SHORTEST_REASON);
  return (
    <Modal
      open
      width={warnings.length === 0 ? 440 : 560}
      title={t(TITLES[kind])}
      footer={null}
      mask={{ closable: false }}
      onCancel={onClose}
      afterOpenChange={(open) => {
        const [first] = warnings;
        if (!open) return;
        if (first === undefined) pin.current?.focus();
        else document.getElementById(reasonId + first.key)?.focus();
      }}
    >
      <p>{t(TEXTS[kind])}</p>
      <dl className="sign-facts">
        <div>
          <dt>{t('sign.patient')}</dt>
          <dd>
            <strong>
              <PatientName patient={item.patient} />
            </strong>{' '}
            <SexAge patient={item.patient} />
          </dd>
        </div>
        <div>
          <dt>{t('sign.study')}</dt>
          <dd>
            {item.study.description ?? t('worklist.noDescription')} {item.study.study_date}
          </dd>
        </div>
        <div>
          <dt>{t('sign.signer')}</dt>
          <dd>{session?.person.display_name}</dd>
        </div>
        {kind !== 'finalise' && (
          <div>
            <dt>{t('sign.language')}</dt>
            <dd>
              <Segmented
                size="small"
                aria-label={t('sign.language')}
                value={printed}
                options={LANGUAGES.map((each) => ({ value: each, label: t(`language.${each}`) }))}
                onChange={setPrinted}
              />
            </dd>
          </div>
        )}
      </dl>
      {warnings.map((one) => (
        <div key={one.key} className="sign-warning">
          <label htmlFor={reasonId + one.key}>
            <WarningFilled /> {checkWords(language, one)}
            {one.excerpt !== '' && <q>{one.excerpt}</q>}
          </label>
          <Input
            id={reasonId + one.key}
            maxLength={LONGEST_REASON}
            placeholder={t('checks.reason')}
            value={reasons[one.key] ?? ''}
            status={asked && unexplained.includes(one) ? 'error' : ''}
            onChange={(event) => setReasons({ ...reasons, [one.key]: event.target.value })}
          />
        </div>
      ))}
      <PinForm
        ref={pin}
        onSign={async (typed) => {
          setAsked(true);
          if (unexplained.length > 0) throw REASON_MISSING;
          await onSign(typed, printed, reasons);
          onClose();
        }}
        onCancel={onClose}
      />
    </Modal>
  );
}
