import { Button, Input, type InputRef, Modal, Segmented } from 'antd';
import { type SubmitEvent, useId, useRef, useState } from 'react';

import { asProblem, type Problem } from '../api/problem';
import type { WorkitemDetail } from '../api/types';
import { PatientName, SexAge } from '../design/PatientName';
import { type Language, LANGUAGES } from '../i18n/catalogue';
import { useLanguage } from '../i18n/language';
import { wordsOf } from '../i18n/problemWords';
import { useSession } from '../session/session';

interface SignDialogProps {
  kind: 'submit' | 'finalise';
  item: WorkitemDetail;
  /** Signs with the PIN, at submission in the language chosen; throws a Problem when the server refuses. */
  onSign: (pin: string, printed: Language) => Promise<void>;
  onClose: () => void;
}

/** Asks for the signing PIN and shows once more what is signed, and as whom. */
export function SignDialog({ kind, item, onSign, onClose }: SignDialogProps) {
  const { t, language } = useLanguage();
  const { data: session } = useSession();
  // Whatever the page's language is: the report goes to the county's own sites.
  const [printed, setPrinted] = useState<Language>('zh-CN');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [empty, setEmpty] = useState(false);
  const input = useRef<InputRef>(null);
  const pinId = useId();
  const messageId = useId();

  const sign = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const pin = input.current?.input?.value ?? '';
    setEmpty(pin === '');
    setProblem(null);
    if (pin === '') return;
    setBusy(true);
    try {
      await onSign(pin, printed);
      onClose();
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
      input.current?.focus({ cursor: 'all' });
    }
  };

  const words = problem === null ? null : wordsOf(language, problem);
  return (
    <Modal
      open
      width={440}
      title={t(`sign.${kind}Title`)}
      footer={null}
      mask={{ closable: false }}
      onCancel={onClose}
      afterOpenChange={(open) => open && input.current?.focus()}
    >
      <p>{t(`sign.${kind}Text`)}</p>
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
        {kind === 'submit' && (
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
      <form onSubmit={(event) => void sign(event)} autoComplete="off">
        <label htmlFor={pinId} className="sign-label">
          {t('sign.pin')}
        </label>
        <Input
          ref={input}
          id={pinId}
          name="signing-pin"
          type="password"
          size="large"
          autoComplete="one-time-code"
          maxLength={200}
          status={problem !== null || empty ? 'error' : ''}
          aria-describedby={messageId}
        />
        <div id={messageId} className="sign-message" role="alert">
          {empty && t('sign.required')}
          {words !== null && (
            <>
              <strong>{words.title}</strong> {words.remedy}
            </>
          )}
        </div>
        <div className="sign-buttons">
          <Button onClick={onClose} disabled={busy}>
            {t('app.cancel')}
          </Button>
          <Button type="primary" htmlType="submit" loading={busy}>
            {busy ? t('sign.signing') : t('sign.confirm')}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
