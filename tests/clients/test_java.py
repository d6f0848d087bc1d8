"""The Java client by its own tools, and the path of a newcomer: an empty project that takes it from this tree."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.daemon import Daemon
from tests.support.toolchains import alone, require
from tools import gen_java

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "clients" / "java"
POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>shop</groupId><artifactId>shop</artifactId><version>1</version>
  <properties><maven.compiler.release>17</maven.compiler.release></properties>
  <dependencies>{dependency}</dependencies>
</project>
"""
COPY_CLASSPATH = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath"
COMPILE = "org.apache.maven.plugins:maven-compiler-plugin:3.14.0:compile"


def mvn(directory: Path, *arguments: str) -> None:
    """Run Maven there; what it printed is the failure's text."""
    command = [require("mvn"), "-q", "-B", "-Dstyle.color=never", *arguments]
    with alone("mvn"):
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]


def snippet(heading: str) -> str:
    """The first Java of a section of the README."""
    page = (CLIENT / "README.md").read_text()
    found = re.search(rf"^## {heading}$.*?^```java\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def program(*snippets: str) -> str:
    """Snippets of the page as a class."""
    lines = "\n".join(snippets).splitlines()
    imports = [line for line in lines if line.startswith("import ")]
    body = [line for line in lines if not line.startswith("import ")]
    page = "\n".join(body)
    told = 'System.out.println(decision.flagKey() + " " + decision.errorReason() + ".");'
    return "\n".join(
        [*imports, "class Shop { public static void main(String[] a) {", page, told, "client.close(); } }"]
    )


def test_the_committed_messages_are_what_the_protos_say() -> None:
    require("mvn")
    assert gen_java.run(check=True) == []


@pytest.mark.timeout(600)
def test_the_client_holds_by_its_own_tools_and_a_newcomer_gets_a_decision(tmp_path: Path) -> None:
    """One test, since the second half needs what the first installs: compiler, format, tests, samples, API docs."""
    mvn(CLIENT, "install")
    page = (CLIENT / "README.md").read_text()
    dependency = re.search(r"<dependency>.*?</dependency>", page, re.DOTALL)
    assert dependency is not None
    shop = tmp_path / "shop"
    source = shop / "src/main/java/Shop.java"
    source.parent.mkdir(parents=True)
    (shop / "pom.xml").write_text(POM.format(dependency=dependency[0]))
    with Daemon(tmp_path, {"datafiles": {"default": {"path": str(ROOT / "examples" / "shop.json")}}}) as daemon:
        daemon.start()
        address = next(each for each in daemon.addresses if not each.startswith("unix:"))
        code = program(snippet("First decision"), snippet("First event"))
        source.write_text(code.replace("127.0.0.1:8013", address))
        mvn(shop, COMPILE, COPY_CLASSPATH, "-Dmdep.outputFile=classpath.txt")
        classpath = f"target/classes:{(shop / 'classpath.txt').read_text()}"
        done = subprocess.run(
            [require("java"), "-cp", classpath, "Shop"], cwd=shop, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("checkout_redesign ")
