import { Button, Input, type InputRef } from 'antd';
import { type Ref, type SubmitEvent, useId, useImperativeHandle, useRef, useState } from 'react';
import { flushSync } from 'react-dom';

import { answer, api } from '../api/client';
import { asProblem, type Problem } from '../api/problem';
import { useLanguage } from '../i18n/language';
import { wordsOf } from '../i18n/problemWords';
import './pinForm.css';

const CODE_PROBLEMS: ReadonlySet<string> = new Set(['second-factor-to-sign', 'wrong-second-factor']);

export interface PinFormHandle {
  focus: () => void;
}

/** Asks for the signing PIN and keeps it nowhere; a refusal is said beside the field, and the field has the focus. */
export function PinForm({
  ref,
  onSign,
  onCancel,
}: {
  ref?: Ref<PinFormHandle>;
  /** Signs; throws when the server refuses. */
  onSign: (pin: string) => Promise<void>;
  onCancel: () => void;
}) {
  const { t, language } = useLanguage();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [empty, setEmpty] = useState(false);
  // Once in a session, where the installation wants a second factor for signatures.
  const [asksCode, setAsksCode] = useState(false);
  const code = useRef<InputRef>(null);
  const input = useRef<InputRef>(null);
  const pinId = useId();
  const messageId = useId();
  useImperativeHandle(ref, () => ({ focus: () => input.current?.focus() }), []);

  const sign = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const pin = input.current?.input?.value ?? '';
    setEmpty(pin === '');
    setProblem(null);
    if (pin === '') return;
    setBusy(true);
    try {
      const shown = code.current?.input?.value.trim() ?? '';
      if (shown !== '') {
        await answer(api.POST('/api/account/second-factor/prove', { body: { code: shown } }));
        setAsksCode(false);
      }
      await onSign(pin);
    } catch (error) {
      const refusal = asProblem(error);
      const codes = CODE_PROBLEMS.has(refusal.code);
      setProblem(refusal);
      setBusy(false);
      if (codes) flushSync(() => setAsksCode(true));
      (codes ? code : input).current?.focus({ cursor: 'all' });
    }
  };

  const words = problem === null ? null : wordsOf(language, problem);
  return (
    <form onSubmit={(event) => void sign(event)} autoComplete="off">
      <label htmlFor={pinId} className="pin-label">
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
      {asksCode && (
        <>
          <label htmlFor={`${pinId}-code`} className="pin-label">
            {t('session.code')}
          </label>
          <Input
            ref={code}
            id={`${pinId}-code`}
            size="large"
            autoComplete="one-time-code"
            maxLength={40}
            aria-describedby={messageId}
          />
        </>
      )}
      <div id={messageId} className="pin-message" role="alert">
        {empty && t('sign.required')}
        {words !== null && (
          <>
            <strong>{words.title}</strong> {words.remedy}
          </>
        )}
      </div>
      <div className="pin-buttons">
        <Button onClick={onCancel} disabled={busy}>
          {t('app.cancel')}
        </Button>
        <Button type="primary" htmlType="submit" loading={busy}>
          {busy ? t('sign.signing') : t('sign.confirm')}
        </Button>
      </div>
    </form>
  );
}
