import type { ReactNode } from 'react';

import { LanguageSwitch } from '../design/LanguageSwitch';
import { Mark } from '../design/Mark';
import './signIn.css';

interface CardPageProps {
  title: string;
  motto: string;
  /** Classes of the page, and of its card, beside those that all such pages have. */
  className?: string;
  card?: string;
  /** Height and width of the mark, in pixels. */
  mark?: number;
  /** What is beside the card. */
  aside?: ReactNode;
  children: ReactNode;
}

/** A page of one card, without the application around it: for who is not signed in, or not quite. */
export function CardPage({ title, motto, className = '', card = '', mark = 44, aside, children }: CardPageProps) {
  return (
    <div className={`sign-in ${className}`}>
      <header className="sign-in-head">
        <LanguageSwitch />
      </header>
      <main className="sign-in-main">
        {aside}
        <section className={`sign-in-card ${card}`}>
          <Mark size={mark} />
          <h1>{title}</h1>
          <p className="sign-in-motto">{motto}</p>
          {children}
        </section>
      </main>
    </div>
  );
}
