<#
.SYNOPSIS
Says whether this server can check certificates through revcache, and what NPS has decided lately.

.DESCRIPTION
Changes nothing. Elevated, it can read the Security log and sees what services see.

 1. revcache is reached, and has the same CA certificates as this kit.
 2. The custom OCSP URL is set on each of them, and the OCSP signer is trusted.
 3. With -UserCertificate: builds the chain and checks all of it but the root online, as NPS does,
    and shows what `certutil -verify -urlfetch` finds.
 4. Reads events 6272 (granted) and 6273 (denied) of the last hour from the Security log, and says
    what their reason codes mean.

Exit code 0: revocation can be checked, and nothing is revoked. 1: the certificate is revoked.
2: something cannot be checked. 3: the chain itself is not valid. 4: usage.

.PARAMETER UserCertificate
File of a user or computer certificate (.cer), without private key.

.PARAMETER Hours
How far back events are read. Those before the last installation step do not count.

.EXAMPLE
.\Test-Revcache.ps1 -UserCertificate C:\Temp\anna.cer
#>
#Requires -Version 5.1
#Requires -PSEdition Desktop
[CmdletBinding()]
param(
    [string]$UserCertificate = '',
    [ValidateRange(1, 168)]
    [int]$Hours = 1
)

. (Join-Path $PSScriptRoot 'RevcacheKit.ps1')

$EventsMax = 5000
$Reasons = @{
    0 = 'granted'
    256 = 'the certificate, or a CA of its chain, is revoked'
    257 = 'the revocation DLL is missing'
    258 = 'revocation cannot be checked: a certificate names no CDP, or the CRL cannot be used'
    259 = 'the revocation server is offline: no answer from the CDP or the OCSP responder'
    265 = 'the chain ends in a root that is not trusted'
    268 = 'a certificate has expired'
    278 = 'a certificate has expired'
    289 = 'the certificate, or a CA of its chain, is revoked'
    291 = 'the CRL cannot be located'
    295 = 'a CA of the chain is not trusted'
}
$RevocationUnknown = @(257, 258, 259, 291)

function Get-ReasonText([int]$Code) {
    if ($Reasons.ContainsKey($Code)) { return $Reasons[$Code] }
    'see the text of the event'
}

# 0, or 2 when revcache is not reached or is another one than the kit was made for.
function Test-Reachable($Kit) {
    $code = 0
    foreach ($authority in $Kit.authorities) {
        $url = "$($Kit.url)/ca/$($authority.name).cer"
        try {
            $client = New-Object Net.WebClient
            $client.Proxy = $null
            $bytes = $client.DownloadData($url)
            $own = [IO.File]::ReadAllBytes((Get-KitPath $authority.certificate))
            if ([Convert]::ToBase64String($bytes) -ne [Convert]::ToBase64String($own)) {
                throw 'it has another certificate of this name: make the kit again'
            }
            Write-Host "[ ok ] revcache at $($Kit.url) answers for $($authority.name)."
        } catch {
            Write-Host "[FAIL] $($url): $($_.Exception.Message)"
            $code = 2
        }
    }
    $code
}

# 0, or 2 when something that Install-Revcache.ps1 sets is missing.
function Test-Settings($Kit) {
    $code = 0
    foreach ($authority in $Kit.authorities) {
        $wanted = [Convert]::ToBase64String([IO.File]::ReadAllBytes((Get-KitPath $authority.aia)))
        try {
            $certificate = Read-KitCertificate $authority.certificate
            if ((Get-OcspProperty $authority.store $certificate) -ne $wanted) {
                throw "the OCSP URL is not $($authority.ocspUrl)"
            }
            foreach ($trust in @($authority.signer.trust)) {
                $store = Open-MachineStore $trust.store 'ReadOnly'
                $found = Find-StoreCertificate $store (Read-KitCertificate $trust.file)
                $store.Close()
                if (-not $found) { throw "$($trust.file) is not in the store $($trust.store)" }
            }
            Write-Host "[ ok ] $($authority.name): OCSP URL and signer are in place."
        } catch {
            Write-Host "[FAIL] $($authority.name): $($_.Exception.Message)"
            $code = 2
        }
    }
    $code
}

# What NPS would say of the chain: its exit code for this script.
function Test-Chain($Certificate) {
    # As a service does: with the stores of the machine.
    $chain = New-Object Security.Cryptography.X509Certificates.X509Chain($true)
    $chain.ChainPolicy.RevocationMode = 'Online'
    $chain.ChainPolicy.RevocationFlag = 'ExcludeRoot'
    $chain.ChainPolicy.UrlRetrievalTimeout = [TimeSpan]::FromSeconds(20)
    $valid = $chain.Build($Certificate)
    foreach ($element in $chain.ChainElements) {
        $found = @($element.ChainElementStatus | ForEach-Object { "$($_.Status)" }) -join ', '
        if (-not $found) { $found = 'ok' }
        Write-Host "       $($element.Certificate.Subject): $found"
    }
    if ($valid) {
        Write-Host '[ ok ] The whole chain is good.'
        return 0
    }
    $status = @($chain.ChainStatus | ForEach-Object { "$($_.Status)" })
    $code = 3
    $reason = 'the chain is not valid'
    if ($status -contains 'Revoked') {
        $code = 1
        $reason = "reason code 256: $(Get-ReasonText 256)"
    } elseif ($status -contains 'OfflineRevocation') {
        $code = 2
        $reason = "reason code 259: $(Get-ReasonText 259)"
    } elseif ($status -contains 'RevocationStatusUnknown') {
        $code = 2
        $reason = "reason code 258: $(Get-ReasonText 258)"
    }
    # A chain that is broken otherwise stays broken, whatever its revocation.
    $revocation = @('Revoked', 'OfflineRevocation', 'RevocationStatusUnknown')
    if ($code -eq 2 -and @($status | Where-Object { $revocation -notcontains $_ }).Count) {
        $code = 3
    }
    Write-Host "[FAIL] $($status -join ', '): $reason"
    $code
}

function Test-UserCertificate([string]$Path) {
    $certificate = New-Object Security.Cryptography.X509Certificates.X509Certificate2($Path)
    $code = Test-Chain $certificate
    $result = Invoke-Program $CertutilPath @('-verify', '-urlfetch', $Path)
    Write-Host ''
    Write-Host "certutil -verify -urlfetch says (exit code $($result.ExitCode)):"
    Write-Host $result.Output
    $code
}

function Get-EventField([xml]$Event, [string]$Name) {
    foreach ($data in $Event.Event.EventData.Data) {
        if ($data.Name -eq $Name) { return $data.InnerText }
    }
}

# 0; 2 when NPS refused somebody because revocation could not be checked.
function Test-Events {
    $since = (Get-Date).AddHours(-$Hours)
    if (Test-Path -LiteralPath $StateFile) {
        $installed = (Get-Item -LiteralPath $StateFile).LastWriteTime
        if ($installed -gt $since) { $since = $installed }
    }
    try {
        $events = @(Get-WinEvent -MaxEvents $EventsMax -FilterHashtable @{
                LogName = 'Security'; Id = 6272, 6273; StartTime = $since })
    } catch {
        # One identifier in all languages, unlike the message.
        if ($_.FullyQualifiedErrorId -like 'NoMatchingEventsFound*') {
            Write-Host "[ ok ] NPS has decided nothing since $since."
            return 0
        }
        Write-Host "[FAIL] The Security log cannot be read: $($_.Exception.Message)"
        return 2
    }
    $code = 0
    $decisions = foreach ($one in $events) {
        [xml]$xml = $one.ToXml()
        $reason = 0
        [void][int]::TryParse((Get-EventField $xml 'ReasonCode'), [ref]$reason)
        [PSCustomObject]@{
            Time = $one.TimeCreated
            Id = $one.Id
            Reason = $reason
            User = Get-EventField $xml 'SubjectUserName'
        }
    }
    Write-Host "NPS since $since (event, reason code, how often, last user):"
    foreach ($group in @($decisions | Group-Object -Property @('Id', 'Reason'))) {
        $last = $group.Group | Sort-Object -Property Time | Select-Object -Last 1
        Write-Host ("       {0} {1,4} {2,5} x  {3}: {4}" -f $last.Id, $last.Reason, $group.Count,
            $last.User, (Get-ReasonText $last.Reason))
        if ($last.Id -eq 6273 -and $RevocationUnknown -contains $last.Reason) { $code = 2 }
    }
    $code
}

if ($UserCertificate -and -not (Test-Path -LiteralPath $UserCertificate -PathType Leaf)) {
    Write-Host "There is no file $UserCertificate."
    exit 4
}
$Kit = Read-Kit
$codes = @(Test-Reachable $Kit) + @(Test-Settings $Kit)
$verdict = 0
if ($UserCertificate) {
    $UserCertificate = (Resolve-Path -LiteralPath $UserCertificate).ProviderPath
    $verdict = Test-UserCertificate $UserCertificate
}
$codes += @(Test-Events)
if ($verdict -ne 0) { exit $verdict }
if ($codes -contains 2) { exit 2 }
Write-Host '[ ok ] Revocation can be checked.'
exit 0
