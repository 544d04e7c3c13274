import { App, Button, Input, Modal } from 'antd';
import { type SubmitEvent, useEffect, useId, useRef, useState, useSyncExternalStore } from 'react';

import { LocalKeeper } from '../api/localKeeper';
import type { Consultation } from '../api/types';
import { ProblemNotice } from '../design/Notice';
import { PatientName, SexAge } from '../design/PatientName';
import { PinForm, type PinFormHandle } from '../design/PinForm';
import { useLanguage } from '../i18n/language';
import { OpinionSaver } from './opinionSaver';
import { saveOpinion, useConsultationAct } from './queries';

/** The expert's opinion, kept while it is typed and signed with the PIN of his own key. */
export function OpinionForm({ consultation }: { consultation: Consultation }) {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const { mutateAsync } = useConsultationAct(consultation.id);
  const [saver] = useState(
    () =>
      new OpinionSaver(
        (opinion) => saveOpinion(consultation.id, opinion),
        consultation.draft ?? { text: '', revision: 0 },
        new LocalKeeper(localStorage, 'rdc.opinion.', consultation.invitee.id, consultation.id, textOnly),
      ),
  );
  // What the server never got goes on where it ended; what another place has overtaken is offered.
  const [left, setLeft] = useState(() => saver.unsaved());
  const [text, setText] = useState(left?.follows === true ? left.text : (consultation.draft?.text ?? ''));
  const write = (written: string): void => {
    setText(written);
    saver.change(written);
  };
  const status = useSyncExternalStore(saver.subscribe, saver.status);
  useEffect(() => {
    if (left?.follows === true) saver.change(left.text);
  }, [saver, left]);
  useEffect(() => {
    const onHide = (): void => {
      if (document.visibilityState === 'hidden') void saver.flush();
    };
    document.addEventListener('visibilitychange', onHide);
    return () => {
      document.removeEventListener('visibilitychange', onHide);
      void saver.flush();
    };
  }, [saver]);
  const [signing, setSigning] = useState(false);
  const pin = useRef<PinFormHandle>(null);
  const textId = useId();
  const send = (event: SubmitEvent): void => {
    event.preventDefault();
    if (text.trim() !== '') setSigning(true);
  };
  return (
    <form className="critical-form" onSubmit={send}>
      <label htmlFor={textId} className="critical-label">
        {t('consult.opinion')}
      </label>
      <Input.TextArea
        id={textId}
        autoSize={{ minRows: 5, maxRows: 16 }}
        maxLength={10_000}
        value={text}
        placeholder={t('consult.opinionHint')}
        onChange={(event) => write(event.target.value)}
      />
      {left?.follows === false && (
        <div role="status" className="consult-left">
          <strong>{t('consult.opinionLeft')}</strong>
          <p>{left.text}</p>
          <Button
            size="small"
            onClick={() => {
              write([text, left.text].filter((part) => part !== '').join('\n'));
              setLeft(null);
            }}
          >
            {t('consult.opinionLeft.take')}
          </Button>{' '}
          <Button
            size="small"
            onClick={() => {
              saver.forget();
              setLeft(null);
            }}
          >
            {t('consult.opinionLeft.forget')}
          </Button>
        </div>
      )}
      {status.kind === 'failed' && !status.problem.passing ? (
        <ProblemNotice heading={t('consult.opinionNotKept')} error={status.problem} />
      ) : (
        <p className="quiet small" role="status">
          {t(
            status.kind === 'failed'
              ? 'consult.opinionRetried'
              : status.kind === 'kept'
                ? 'consult.opinionKept'
                : 'consult.opinionSaving',
          )}
        </p>
      )}
      <Button type="primary" htmlType="submit" disabled={text.trim() === ''}>
        {t('consult.act.sign')}
      </Button>
      {signing && (
        <Modal
          open
          width={440}
          title={t('consult.act.sign')}
          footer={null}
          mask={{ closable: false }}
          onCancel={() => setSigning(false)}
          afterOpenChange={(open) => open && pin.current?.focus()}
        >
          <p>{t('consult.signText')}</p>
          <p className="consult-sign">
            <strong>
              <PatientName patient={consultation.patient} />
            </strong>{' '}
            <SexAge patient={consultation.patient} /> {consultation.study.description} {consultation.study.study_date}
          </p>
          <PinForm
            ref={pin}
            onSign={async (typed) => {
              await mutateAsync({ act: 'opinion', opinion: text.trim(), pin: typed });
              saver.done();
              void message.success(t('consult.done.sign'));
            }}
            onCancel={() => setSigning(false)}
          />
        </Modal>
      )}
    </form>
  );
}

function textOnly(told: unknown): string | null {
  return typeof told === 'string' ? told : null;
}
