import { Button, Modal } from 'antd';
import { useEffect, useRef, useState } from 'react';

import { someoneIsHere } from '../api/presence';
import { serverNow } from '../api/serverClock';
import type { Session } from '../api/types';
import { useLanguage } from '../i18n/language';
import { idleStep, warningSeconds } from './idle';
import { useSessionAgain, useSignOut, useStaySignedIn } from './session';

const LOOK_MILLISECONDS = 1000;

/** Keeps the session while its person works, warns before it ends, and leaves when it has ended. */
export function IdleWatch({ session }: { session: Session }) {
  const { t } = useLanguage();
  const [left, setLeft] = useState<number | null>(null);
  const again = useSessionAgain();
  const signOut = useSignOut();
  const stay = useStaySignedIn();
  const asking = useRef(false);
  // Another tab may have kept the session: what this page believes is asked for once more before it warns.
  const confirmed = useRef<string | null>(null);
  const { mutateAsync: prolong } = stay;

  const atEnd = Date.parse(session.expires_at) >= Date.parse(session.ends_at);
  useEffect(() => {
    const warning = warningSeconds(session.idle_seconds);
    const ask = async (question: () => Promise<unknown>): Promise<void> => {
      if (asking.current) return;
      asking.current = true;
      try {
        await question();
      } catch {
        // Without an answer nothing is known: the page asks again with the next look.
      } finally {
        asking.current = false;
      }
    };
    const look = (): void => {
      const seconds = Math.ceil((Date.parse(session.expires_at) - serverNow()) / 1000);
      const step = idleStep(seconds, session.idle_seconds, someoneIsHere() && !atEnd);
      setLeft(step === 'warn' && confirmed.current === session.expires_at ? seconds : null);
      if (step === 'prolong') void ask(prolong);
      if (step === 'over') void ask(again);
      if (step === 'warn' && confirmed.current !== session.expires_at) {
        confirmed.current = session.expires_at;
        void ask(again);
      }
    };
    look();
    const timer = setInterval(look, Math.min(LOOK_MILLISECONDS, warning * 100));
    return () => clearInterval(timer);
  }, [session, atEnd, again, prolong]);

  const time = `${Math.floor((left ?? 0) / 60)}:${String((left ?? 0) % 60).padStart(2, '0')}`;
  return (
    <Modal
      open={left !== null}
      width={460}
      title={t('idle.title')}
      closable={false}
      mask={{ closable: false }}
      footer={[
        <Button key="leave" onClick={() => signOut.mutate()}>
          {t('idle.leave')}
        </Button>,
        !atEnd && (
          <Button key="stay" type="primary" autoFocus loading={stay.isPending} onClick={() => stay.mutate()}>
            {t('idle.stay')}
          </Button>
        ),
      ]}
      onCancel={() => !atEnd && stay.mutate()}
    >
      <p role="timer">{t(atEnd ? 'idle.end' : 'idle.text', { time })}</p>
    </Modal>
  );
}
