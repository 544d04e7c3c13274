import { Component, type ComponentType, lazy, type ReactNode, useState } from 'react';

import { useLanguage } from '../i18n/language';
import { Failed } from './Failed';

/** Keeps a failure in a part of a page from taking the rest away: it is said in the part's place. */
export class Part extends Component<{ children: ReactNode; onRetry?: () => void }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children;
    return (
      <FailedPart
        onRetry={() => {
          this.props.onRetry?.();
          this.setState({ failed: false });
        }}
      />
    );
  }
}

function FailedPart({ onRetry }: { onRetry: () => void }) {
  const { t } = useLanguage();
  return <Failed title={t('failed.part')} level="h3" onRetry={onRetry} />;
}

/**
 * A part of a page whose file comes when it is shown, below a `Suspense` of the caller's. A file that did not come is
 * asked for again when somebody tries again.
 */
export function lazyPart<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  const anew = () => ({ Content: lazy(async () => ({ default: await load() })) });
  let latest = anew();
  return function LazyPart(props: Props) {
    const [{ Content }, setLoaded] = useState(latest);
    return (
      <Part
        onRetry={() => {
          latest = anew();
          setLoaded(latest);
        }}
      >
        <Content {...props} />
      </Part>
    );
  };
}
