# SPDX-License-Identifier: GPL-3.0-or-later
"""Headless Chromium, driven by Selenium (both Debian's), for what a person sees of the status page."""
import base64
import os

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions
from selenium.webdriver.support.ui import WebDriverWait

PATIENCE = 60


class Browser:
    """One window, with nothing remembered of others. script: whether pages may run theirs."""

    def __init__(self, directory, script=True):
        options = webdriver.ChromeOptions()
        for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
                         "--force-color-profile=srgb", "--hide-scrollbars"):
            options.add_argument(argument)
        if not script:
            options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        options.binary_location = "/usr/bin/chromium"
        service = webdriver.chrome.service.Service("/usr/bin/chromedriver")
        self.driver = webdriver.Chrome(service=service, options=options)
        self.directory = directory
        self.resize(1280, 900)

    def close(self):
        self.driver.quit()

    def resize(self, width, height):
        """The page's own size, whatever a window's least is."""
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})

    def dark(self):
        """As for who works at night."""
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": "dark"}]})

    def open(self, zonefan, path="/", user=None, password=None):
        self.driver.get(f"http://{user or zonefan.user}:{password or zonefan.password}@127.0.0.1:{zonefan.port}{path}")

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def patiently(self, look):
        """What look() returns, when the page did not replace a panel while it looked."""
        return WebDriverWait(self.driver, PATIENCE, poll_frequency=0.05,
                             ignored_exceptions=[StaleElementReferenceException]).until(lambda _: (look(),))[0]

    def text(self, selector="body"):
        return self.patiently(lambda: self.one(selector).text)

    def wait(self, condition, what):
        return WebDriverWait(self.driver, PATIENCE, poll_frequency=0.1,
                             ignored_exceptions=[StaleElementReferenceException]).until(lambda _: condition(), f"in vain: {what}")

    def press(self, selector, label):
        """The button of that name within selector, and if it asks whether one is sure, yes. Returns on the page behind it."""
        before = self.one("html")
        self.patiently(lambda: self._press(selector, label))
        # In the moment of the change Chromium may have another error than that for it.
        WebDriverWait(self.driver, PATIENCE, poll_frequency=0.05,
                      ignored_exceptions=[WebDriverException]).until(expected_conditions.staleness_of(before))
        self.wait(lambda: self.all("#foot"), "the page is there to its end")

    def _press(self, selector, label):
        for button in self.all(f"{selector} summary, {selector} button"):
            if button.is_displayed() and button.text.rstrip(" \u2026") == label:
                if button.tag_name == "summary":
                    question = button.find_element(By.XPATH, "..")
                    if not question.get_attribute("open"):
                        button.click()
                    button = question.find_element(By.TAG_NAME, "button")
                button.click()
                return
        raise AssertionError(f"no button {label} in {selector}: {self.text(selector)}")

    def lies_within(self, width):
        """Nothing is wider than the window, so nobody scrolls sideways."""
        assert self.driver.execute_script("return document.documentElement.scrollWidth") <= width
        wide = self.driver.execute_script("""
            return [...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1 &&
                !e.closest("thead, details:not([open]) > div")).map(e => e.outerHTML.slice(0, 120))""")
        assert not wide, wide

    def complaints(self):
        """What the browser's console says of scripts and policies, but for logins that were to fail."""
        return [entry for entry in self.driver.get_log("browser")
                if entry["level"] in ("SEVERE", "WARNING") and "status of 401" not in entry["message"]]

    def silence(self):
        """What it complained of until now was to be."""
        self.driver.get_log("browser")

    def picture(self, name, height=None):
        """The page, or so much of it from its top, as DIRECTORY/NAME.png."""
        size = self.driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
        data = self.driver.execute_cdp_cmd("Page.captureScreenshot", {
            "captureBeyondViewport": True, "clip": {"x": 0, "y": 0, "width": size["width"],
                                                    "height": min(height or size["height"], size["height"]), "scale": 1}})["data"]
        os.makedirs(self.directory, exist_ok=True)
        with open(os.path.join(self.directory, f"{name}.png"), "wb") as out:
            out.write(base64.b64decode(data))
