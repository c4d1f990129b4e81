import json
import shutil

import pytest
from selenium import webdriver


@pytest.fixture(scope="session")
def chromium():
    """A browser without a screen and without a network."""
    chromium, driver = (shutil.which(name) for name in ("chromium", "chromedriver"))
    if not (chromium and driver):
        pytest.skip("Chromium or chromedriver is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--window-size=1200,800",
        "--disable-dev-shm-usage",
        "--host-resolver-rules=MAP * ~NOTFOUND",  # no network
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield opened
    opened.quit()


@pytest.fixture
def browser(chromium):
    """That browser, which at the end has complained of nothing and asked for nothing but pages."""
    yield chromium
    complaints = [e for e in chromium.get_log("browser") if e["level"] in ("SEVERE", "WARNING")]
    assert not complaints
    events = [json.loads(entry["message"])["message"] for entry in chromium.get_log("performance")]
    asked = [e["params"]["request"] for e in events if e["method"] == "Network.requestWillBeSent"]
    assert asked
    assert {request["url"].partition(":")[0] for request in asked} <= {"file", "data", "blob"}
