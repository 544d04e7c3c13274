import { QueryClientProvider } from '@tanstack/react-query';
import { createBrowserRouter } from 'react-router';
import { RouterProvider } from 'react-router/dom';

import { AppearanceProvider } from '../design/appearance';
import { LanguageProvider, rememberedLanguage } from '../i18n/language';
import { prepareExam } from '../reading/opening';
import { createQueryClient } from '../session/session';
import { OrganisationPage } from '../session/OrganisationPage';
import { SignInPage } from '../session/SignInPage';
import { CrashPage, FailedPage } from './CrashPage';
import { Landing } from './Landing';
import { Loading } from './Loading';

const queryClient = createQueryClient();

// Only the sign-in is in the first download; everything behind it comes page by page.
const router = createBrowserRouter([
  { path: '/sign-in', Component: SignInPage, ErrorBoundary: CrashPage },
  { path: '/organisation', Component: OrganisationPage, ErrorBoundary: CrashPage },
  {
    path: '/viewing',
    lazy: { Component: async () => (await import('../reading/ViewingPage')).ViewingPage },
    HydrateFallback: Loading,
    ErrorBoundary: CrashPage,
  },
  {
    path: '/verify/:code?',
    lazy: { Component: async () => (await import('../verification/VerifyPage')).VerifyPage },
    HydrateFallback: Loading,
    ErrorBoundary: CrashPage,
  },
  {
    path: '/share',
    lazy: { Component: async () => (await import('../shares/SharePage')).SharePage },
    HydrateFallback: Loading,
    ErrorBoundary: CrashPage,
  },
  {
    path: '/',
    lazy: { Component: async () => (await import('./Shell')).Shell },
    HydrateFallback: Loading,
    ErrorBoundary: CrashPage,
    children: [
      {
        // A page that fails leaves the way to the others.
        ErrorBoundary: FailedPage,
        children: [
          { index: true, Component: Landing },
          {
            path: 'worklist',
            lazy: { Component: async () => (await import('../worklist/WorklistPage')).WorklistPage },
          },
          { path: 'board', lazy: { Component: async () => (await import('../board/BoardPage')).BoardPage } },
          {
            path: 'exams/:id',
            // Beside the page's own files, not after them.
            loader: ({ params }) => {
              prepareExam(queryClient, params['id'] ?? '', rememberedLanguage());
              return null;
            },
            lazy: { Component: async () => (await import('../reading/ReadingPage')).ReadingPage },
          },
          { path: 'portal', lazy: { Component: async () => (await import('../portal/PortalPage')).PortalPage } },
          {
            path: 'portal/:id',
            lazy: { Component: async () => (await import('../portal/PortalExamPage')).PortalExamPage },
          },
          { path: 'site-exams', lazy: { Component: async () => (await import('../portal/ExamsPage')).ExamsPage } },
          {
            path: 'site-statistics',
            lazy: { Component: async () => (await import('../portal/StatisticsPage')).StatisticsPage },
          },
          {
            path: 'chest-pain',
            lazy: { Component: async () => (await import('../emergency/ChestPainPage')).ChestPainPage },
          },
          { path: 'ecg-list', lazy: { Component: async () => (await import('../ecg-list/EcgListPage')).EcgListPage } },
          {
            path: 'ecg-files',
            lazy: { Component: async () => (await import('../ecg-files/EcgFilesPage')).EcgFilesPage },
          },
          { path: 'orders', lazy: { Component: async () => (await import('../orders/OrdersPage')).OrdersPage } },
          {
            path: 'identity/:id?',
            lazy: { Component: async () => (await import('../identity/IdentityPage')).IdentityPage },
          },
          { path: 'ledger', lazy: { Component: async () => (await import('../ledger/LedgerPage')).LedgerPage } },
          {
            path: 'ledger/:id',
            lazy: { Component: async () => (await import('../ledger/LedgerDetailPage')).LedgerDetailPage },
          },
          {
            path: 'destinations',
            lazy: { Component: async () => (await import('../deliveries/DestinationsPage')).DestinationsPage },
          },
          {
            path: 'site-tests/:code?',
            lazy: { Component: async () => (await import('../site-tests/SiteTestsPage')).SiteTestsPage },
          },
          {
            path: 'deliveries',
            lazy: { Component: async () => (await import('../deliveries/DeliveriesPage')).DeliveriesPage },
          },
          {
            path: 'quarantine/:id?',
            lazy: { Component: async () => (await import('../deliveries/QuarantinePage')).QuarantinePage },
          },
          {
            path: 'templates',
            lazy: { Component: async () => (await import('../templates/TemplatesPage')).TemplatesPage },
          },
          { path: 'keeping', lazy: { Component: async () => (await import('../keeping/KeepingPage')).KeepingPage } },
          { path: 'rules', lazy: { Component: async () => (await import('../rules/RulesPage')).RulesPage } },
          { path: 'groups', lazy: { Component: async () => (await import('../rules/GroupsPage')).GroupsPage } },
          {
            path: 'procedures',
            lazy: { Component: async () => (await import('../procedures/ProceduresPage')).ProceduresPage },
          },
          { path: 'clocks', lazy: { Component: async () => (await import('../rules/ClocksPage')).ClocksPage } },
          { path: 'calendar', lazy: { Component: async () => (await import('../rules/CalendarPage')).CalendarPage } },
          { path: 'roster', lazy: { Component: async () => (await import('../roster/RosterPage')).RosterPage } },
          { path: 'account', lazy: { Component: async () => (await import('../account/AccountPage')).AccountPage } },
          { path: 'people/:id?', lazy: { Component: async () => (await import('../people/PeoplePage')).PeoplePage } },
          { path: 'tokens', lazy: { Component: async () => (await import('../tokens/TokensPage')).TokensPage } },
          { path: 'audit', lazy: { Component: async () => (await import('../audit/AuditPage')).AuditPage } },
          {
            path: 'agreements',
            lazy: { Component: async () => (await import('../agreements/AgreementsPage')).AgreementsPage },
          },
          {
            path: 'critical/:id?',
            lazy: { Component: async () => (await import('../critical/CriticalPage')).CriticalPage },
          },
          { path: 'phone', lazy: { Component: async () => (await import('../phone/PhonePage')).PhonePage } },
          {
            path: 'retakes/:id?',
            lazy: { Component: async () => (await import('../retakes/RetakesPage')).RetakesPage },
          },
          {
            path: 'consultations/:id?',
            lazy: { Component: async () => (await import('../consultations/ConsultationsPage')).ConsultationsPage },
          },
          {
            path: 'preliminary',
            lazy: { Component: async () => (await import('../preliminary/PreliminaryPage')).PreliminaryPage },
          },
          { path: '*', lazy: { Component: async () => (await import('./NotFound')).NotFound } },
        ],
      },
    ],
  },
]);

/** The whole UI with what every page needs around it. */
export function App() {
  return (
    <LanguageProvider>
      <AppearanceProvider>
        <QueryClientProvider client={queryClient}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </AppearanceProvider>
    </LanguageProvider>
  );
}
