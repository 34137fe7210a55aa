import { expect } from '@playwright/test';
import { cli } from './server.js';

export const owner = 'rosa@brightside.example';
export const viewer = 'kim@brightside.example';

/** Signs in with a link from the command line. */
export async function signIn(page, email = owner) {
  const { url } = cli('login-link', '--email', email);
  await page.goto(new URL(url).pathname);
  await expect(page).toHaveURL(/\/(inbox|dashboard)/);
}

/** Opens a contact's conversation. */
export async function openConversation(page, id) {
  await page.goto(`/conversations/${id}`);
  await expect(page.locator('#conversation')).toBeVisible();
}
